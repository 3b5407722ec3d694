// The page reads without this: it adds finding hosts, and the keys of a grid.
const grid = document.querySelector('#grid')
const rows = [...grid.tBodies[0].rows]
const filter = document.querySelector('#filter')

const inSync = new Set(['ok', 'changed'])
const names = rows.map(row => row.cells[0].textContent.toLowerCase())
const isFine = rows.map(row =>
  [...row.cells].slice(1).every(cell => cell.className === '' || inSync.has(cell.className)),
)

function show() {
  const wanted = filter.elements.find.value.trim().toLowerCase()
  const onlyAttention = filter.elements.attention.checked
  let shown = 0
  rows.forEach((row, index) => {
    row.hidden = !names[index].includes(wanted) || (onlyAttention && isFine[index])
    if (!row.hidden) shown += 1
  })
  filter.querySelector('output').textContent = shown === rows.length ? '' : `${shown} of ${rows.length} shown`
}

if (rows.length > 1) {
  filter.hidden = false
  filter.addEventListener('input', show)
  filter.addEventListener('submit', event => event.preventDefault())
}

// one stop for the Tab key, arrow keys within
const focusable = cell => cell.querySelector('a') ?? cell
grid.setAttribute('role', 'grid')
for (const link of grid.querySelectorAll('a')) link.tabIndex = -1
let current = focusable(rows[0]?.cells[0] ?? grid.rows[0].cells[0])
current.tabIndex = 0

function go(row, column) {
  const cell = row?.cells[Math.max(0, Math.min(column, row.cells.length - 1))]
  if (!cell) return
  current.tabIndex = -1
  current = focusable(cell)
  current.tabIndex = 0
  current.focus()
}

grid.addEventListener('keydown', event => {
  const cell = event.target.closest('td, th')
  if (!cell || event.altKey || event.metaKey) return
  const all = [...grid.rows].filter(row => !row.hidden)
  const at = all.indexOf(cell.parentElement)
  const column = cell.cellIndex
  const last = cell.parentElement.cells.length - 1
  const moves = {
    ArrowUp: [at - 1, column],
    ArrowDown: [at + 1, column],
    ArrowLeft: [at, column - 1],
    ArrowRight: [at, column + 1],
    Home: [event.ctrlKey ? 0 : at, 0],
    End: [event.ctrlKey ? all.length - 1 : at, last],
    PageUp: [Math.max(0, at - 20), column],
    PageDown: [Math.min(all.length - 1, at + 20), column],
  }
  const move = moves[event.key]
  if (!move) return
  event.preventDefault()
  go(all[move[0]], move[1])
})

grid.addEventListener('focusin', event => {
  const cell = event.target.closest('td, th')
  if (!cell || focusable(cell) === current) return
  current.tabIndex = -1
  current = focusable(cell)
  current.tabIndex = 0
})
