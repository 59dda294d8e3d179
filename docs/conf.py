"""Settings of the book; everything that is computed lives in ext/cutaway."""

import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("_ext")))

project = "Cutaway"
author = "The Cutaway authors"
copyright = "2026, The Cutaway authors"
language = "en"

extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx_reredirects",
    "cutaway",
    "cutaway.math",
    "cutaway.cells",
    "cutaway.search",
    "cutaway.source_pages",
    "cutaway.permalinks",
    "cutaway.cards",
    "cutaway.markdown",
    "cutaway.dev.reference",
    "website",  # of this book: docs/_ext
]
exclude_patterns = ["runs", "scenes", "using"]

# How sources are cited and listed: _ext/website/sources.py. `sources.html#source-su2021` is an address in the list.
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = bibtex_reference_style = "cutaway"
bibtex_cite_id = "source-{key}"
bibtex_bibliography_id = "sources-{bibliography_count}"

# What is explained, what is run, and where the drawings are kept (safe to delete).
cutaway_sources = {
    "nanogpt": ["../model_src/nanogpt"],
    "nanochat": ["../model_src/nanochat"],
    "ngpt": ["../model_src/ngpt"],
    "micro": ["../model_src/micro"],
    "fieldguide": ["../model_src/fieldguide"],
    "clusters": ["using/clusters"],  # the tutorial's
}
cutaway_dimensions = {"N": "points", "K": "centres"}  # in the tutorial
cutaway_runs = [
    "runs/sort.py",
    "runs/backward.py",
    "runs/heads.py",
    "runs/lora.py",
    "runs/chars.py",
    "runs/shards.py",
    "runs/tokens.py",
    "runs/muon.py",
    "runs/prose.py",
    "runs/modern.py",
    "runs/scaling.py",
    "runs/distributed.py",
    "runs/mid.py",
    "runs/sft.py",
    "runs/rl.py",
    "runs/talk.py",
    "runs/ngpt.py",
    "runs/sphere.py",
    "runs/clusters.py",
    "runs/guide.py",
]
cutaway_scenes = "scenes"
cutaway_store = "../.cutaway"
cutaway_synonyms = "synonyms.txt"

myst_enable_extensions = [
    "attrs_block",
    "attrs_inline",  # `quotation`{#id}
    "colon_fence",
    "deflist",  # notes of a listing
    "dollarmath",
    "fieldlist",
]
myst_heading_anchors = 3
# {{ }} stands for nothing: braces belong to code and formulae here.
myst_update_mathjax = False  # no MathJax: formulae are MathML, made while building
html_math_renderer = "mathml"

nb_execution_mode = "cache"
nb_execution_timeout = 240  # seconds a cell; on a busy machine a few need more than a minute
nb_execution_show_tb = True
nb_merge_streams = True
nb_render_markdown_format = "myst"  # tables and roles in the output of cells
nb_ipywidgets_js = {}  # its default asks two other hosts for scripts

# `python -m cutaway explain optimizer` draws one of these; of several the first, or that of `--run nanochat`.
# What begins with # is a section of a page.
cutaway_explain = {
    "gpt": {"nanogpt": "nanogpt.model.GPT sort", "nanochat": "#explain-gpt"},
    "attention": {"nanogpt": "nanogpt.model.CausalSelfAttention sort", "nanochat": "#explain-attention"},
    "mlp": {"nanogpt": "nanogpt.model.MLP sort", "nanochat": "#explain-mlp"},
    "block": {"nanogpt": "nanogpt.model.Block sort", "nanochat": "nanochat.gpt.Block prose"},
    "optimizer": {"nanochat": "#explain-optimizer"},
    "adamw": "nanochat.training.optim.adamw_step adamw.step",
    "muon": "nanochat.training.muon.muon_step muon.step",
    "dataloader": {"nanochat": "#explain-dataloader", "nanogpt": "nanogpt.train.get_batch chars.batch"},
    "rotary": {"nanochat": "#explain-rotary"},
    "tokenizer": {"nanochat": "#explain-tokenizer"},
    "training": "nanochat.training.step.accumulate prose.step",
    "ngpt": "ngpt.model.nGPT.logits ngpt",
    "slerp": "ngpt.sphere.slerp ngpt.ways",
    "mask": "nanochat.chat.chat_data.supervised sft.batch",
    "policy": "nanochat.chat.reinforcement.policy_loss rl.loss",
    "sampling": "nanochat.chat.sampling.sample_next_token talk.draw",
    "engine": {"nanochat": "#explain-engine", "nanogpt": "nanogpt.model.GPT.generate sort.generate"},
}

# Ids that last, and the site's public address: snippets name it, and without it everything works by relative links.
cutaway_permalinks = "../permalinks.json"
html_baseurl = os.environ.get("CUTAWAY_BASEURL") or os.environ.get("READTHEDOCS_CANONICAL_URL", "")

# `nox -s nightly -- links`: what is asked, and how patiently.
linkcheck_ignore = [
    r"https?://(127\.0\.0\.1|localhost|a\.example)\b.*",  # the reader's own machine, and names that stand for nobody
    r"https://(example\.org|YOUR-SITE)/.*",  # the place where this book is published, before it is
]
linkcheck_anchors_ignore_for_url = [r"https://github\.com/.*"]  # whose pages make their anchors in the browser
linkcheck_timeout = 20  # seconds an address
linkcheck_retries = 2
linkcheck_rate_limit_timeout = 120  # seconds; a host that asks for more patience counts as broken
linkcheck_workers = 4

# Where the source is, for the page that says how to get it.
website_repository = os.environ.get("CUTAWAY_REPOSITORY") or os.environ.get("READTHEDOCS_GIT_CLONE_URL", "")

redirect_html_template_file = "_templates/moved.html"  # of pages that moved; the extension's own is no valid HTML
html_theme = "sphinx_book_theme"
html_title = "Cutaway: nanoGPT from the inside"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_sidebars = {"**": ["book-logo.html", "book-search.html", "book-nav.html"]}
html_css_files = ["book.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_context = {
    # Sphinx's, of which no page needs anything.
    "unused_scripts": ["documentation_options.js", "doctools.js", "sphinx_highlight.js"],
    # The theme's stylesheet, which its own templates link by hand.
    "website_styles": ["basic.css", "styles/pydata-sphinx-theme.css"],
}
html_favicon = "_static/favicon.svg"
html_copy_source = True  # each page offers its notebook
html_theme_options = {
    # The theme would show a second search bar on wide screens.
    "navbar_persistent": [],
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "secondary_sidebar_items": [],  # book-nav.html shows the page's sections; listings need the width
    "use_fullscreen_button": False,
    "back_to_top_button": False,
    "footer_content_items": ["copyright.html", "keys-button.html"],
}

# What a screen reader would stumble over in HTML that others print.
SPOKEN = {
    '<summary aria-label="Toggle hidden content">': "<summary>",  # myst-nb's; it hides what the line says
    '<th class="head stub"><p></p></th>': "<td></td>",  # the empty corner of a table heads nothing,
    '<th class="head"><p></p></th>': "<td></td>",  # nor does another empty cell
}


def speak_well(app, pagename, templatename, context, doctree):
    body = context.get("body", "")
    for printed, better in SPOKEN.items():
        body = body.replace(printed, better)
    # myst-nb's folded cells: a summary may hold no paragraph
    context["body"] = re.sub(r'<p( class="(?:collapsed|expanded) admonition-title">.*?</)p>', r"<span\1span>", body)


def setup(app):
    app.connect("html-page-context", speak_well)
