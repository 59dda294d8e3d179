"""What differs from one build to the next, said on pages: the versions of packages, and where the source is.

``{version}`torch` `` is the version with which this site was built. ``{clone}`` prints commands in which
``REPOSITORY`` becomes the source's address: the setting ``website_repository``, else :data:`PLACEHOLDER`.
"""

from __future__ import annotations

import importlib.metadata
import platform

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

logger = logging.getLogger(__name__)
PACKAGES = ("torch", "numpy", "sphinx", "myst-nb", "manim", "matplotlib")
PLACEHOLDER = "https://YOUR-REPOSITORY"


def versions() -> dict[str, str]:
    """Of Python and of each package; "none" where it is not installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


class Version(SphinxRole):
    """The version of a package with which this site was built."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        known = self.config.website_versions
        if self.text not in known:
            source, line = self.get_source_info()
            logger.warning("version: no package %r; there is %s", self.text, ", ".join(known), location=(source, line))
        return [nodes.Text(known.get(self.text, self.text))], []


class Clone(SphinxDirective):
    """Commands with the source's address; the argument is their language."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        command = "\n".join(self.content).replace("REPOSITORY", self.config.website_repository or PLACEHOLDER)
        block = nodes.literal_block(command, command, language=self.arguments[0])
        self.set_source_info(block)
        return [block]


def ask(app: Sphinx, config: Config) -> None:
    """As settings, so that Sphinx reads the pages again where one of them is another."""
    config.website_versions = versions()


def setup(app: Sphinx) -> None:
    app.add_config_value("website_repository", "", "env", [str])
    app.add_config_value("website_versions", {}, "env", [dict])
    app.connect("config-inited", ask)
    app.add_role("version", Version())
    app.add_directive("clone", Clone)
