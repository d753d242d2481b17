const choice = document.getElementById("picture");
function show() {
  for (const picture of document.querySelectorAll(".picture"))
    picture.hidden = picture.dataset.number !== choice.value;
}
choice.addEventListener("input", show);
show(); // a reloaded page may have kept the choice
