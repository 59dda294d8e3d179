"""``python -m cutaway.dev.printing SITE TARGET``"""

import sys
from pathlib import Path

from . import PrintError, print_book

if __name__ == "__main__":
    site, target = map(Path, sys.argv[1:])
    try:
        count = print_book(site, target)
    except PrintError as error:
        sys.exit(str(error))
    print(f"The book, {count} pages: {target.resolve().as_uri()}")
