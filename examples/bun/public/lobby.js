const lines = document.querySelector('#lines');
for (const type of ['note', 'message']) {
  addEventListener(`djr:${type}`, ({ detail }) => {
    const line = document.createElement('li');
    line.textContent = detail.text;
    lines.append(line);
  });
}
addEventListener('djr:state', ({ detail }) => document.querySelector('#stream').replaceChildren(detail.state));
