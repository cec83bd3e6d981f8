'use strict';
const cards = [...document.querySelectorAll('.card')];

function chosen(name) {
  const input = document.querySelector(`input[name="${name}"]:checked`);
  return input ? input.value : '';
}

function filter() {
  const wanted = { classes: chosen('class'), groups: chosen('group') };
  for (const card of cards) {
    card.hidden = !Object.entries(wanted).every(
      ([key, value]) => !value || card.dataset[key].split(' ').includes(value)
    );
  }
  document.getElementById('no-match').hidden = cards.some((card) => !card.hidden);
}

// The pictures of all epochs are in the strips; the large tiles copy theirs.
function showEpoch(slider) {
  const epoch = slider.dataset.epochs.split(' ')[slider.value];
  document.getElementById('epoch-now').value = epoch;
  slider.setAttribute('aria-valuetext', `epoch ${epoch}`);
  for (const card of cards) {
    const steps = [...card.querySelectorAll('.strip li')];
    const step = steps[slider.value];
    if (!step) continue;
    steps.forEach((item) => item.classList.toggle('shown', item === step));
    const figures = step.querySelectorAll('figure');
    card.querySelectorAll('.now').forEach((place, index) => {
      place.replaceChildren(figures[index].cloneNode(true));
    });
  }
}

const tools = document.querySelector('.tools');
if (tools) {
  tools.addEventListener('submit', (event) => event.preventDefault());
  tools.addEventListener('change', filter);
  const slider = document.getElementById('epoch');
  if (slider) {
    slider.addEventListener('input', () => showEpoch(slider));
    showEpoch(slider);
  }
  filter();
}
