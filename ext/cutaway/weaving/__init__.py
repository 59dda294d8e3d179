"""What a listing is made of: the lines as HTML, and what the run tells about them."""
