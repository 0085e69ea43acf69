addEventListener('djr:note', ({ detail }) => {
  document.querySelector('#last').textContent = JSON.stringify(detail);
});
