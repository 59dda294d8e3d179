"""From boxes and arrows to characters: layers, places, ports, routes, labels."""
