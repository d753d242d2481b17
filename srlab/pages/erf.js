const choices = document.querySelectorAll("input[name=convention]");
function show() {
  const chosen = [...choices].find((one) => one.checked).value;
  for (const own of document.querySelectorAll("[data-convention]"))
    own.hidden = own.dataset.convention !== chosen;
}
for (const choice of choices) choice.addEventListener("input", show);
show(); // a reloaded page may have kept the choice
