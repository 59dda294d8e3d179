// "standard" is what the HTML standard asks; the other sets add questions of taste, and of what axe-core asks, too.
export default { root: true, extends: ["html-validate:standard"] };
