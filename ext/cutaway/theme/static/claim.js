// A claim's tooltip is plain CSS; Escape puts it away until the pointer or the focus comes back.
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const claim of document.querySelectorAll(".cutaway-claim:is(:hover, :focus)")) {
    const quiet = "cutaway-claim-quiet";
    claim.classList.add(quiet);
    for (const left of ["pointerleave", "blur"]) claim.addEventListener(left, () => claim.classList.remove(quiet), { once: true });
  }
});
