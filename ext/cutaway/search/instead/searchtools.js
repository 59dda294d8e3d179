// In place of Sphinx's search, whose page themes make: ours needs nothing of it, and what themes call does nothing.
const Search = { init() {}, loadIndex() {}, setIndex() {} };
