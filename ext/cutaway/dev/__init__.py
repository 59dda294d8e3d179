"""What writing a book needs: the live server, drafts, the printed book, tables made of the code."""
