/** The plots of the pages of the bench, drawn by the browser that opens one: of each what there is data for. */
import * as Plot from '@observablehq/plot'

const { points = [], memory = [], growth = [] } = JSON.parse(document.getElementById('data').textContent)
const width = Math.min(1100, document.body.clientWidth)
const colors = {
  ours: '#d62728',
  floor: '#888',
  'ssh true': '#1f77b4',
  ansible: '#ff9d00',
  'ansible pipelining': '#8c6d1f',
  'ansible mitogen': '#2ca02c',
}
const there = Object.keys(colors).filter(name => points.some(({ who }) => who === name))
const color = { legend: true, domain: there, range: there.map(name => colors[name]) }

/** Puts a plot on the page, under a title, with a line that says how to read it. */
function show(title, text, options) {
  const heading = Object.assign(document.createElement('h2'), { textContent: title })
  const lead = Object.assign(document.createElement('p'), { textContent: text })
  const plot = Plot.plot({ width, marginLeft: 60, marginRight: 50, grid: true, ...options })
  document.querySelector('main').append(heading, lead, plot)
}

/** Lines of all contenders over the number of hosts, a column for each scenario. */
function overHosts(of, y, more = []) {
  const common = { x: 'hosts', y, z: 'who', stroke: 'who', fx: 'scenario' }
  return {
    color,
    height: 380,
    x: { type: 'log', label: 'hosts', ticks: [...new Set(of.map(({ hosts }) => hosts))], tickFormat: 'd' },
    fx: {
      label: null,
      domain: ['check', 'apply', 'noop'].filter(name => of.some(({ scenario }) => scenario === name)),
    },
    marks: [
      Plot.frame({ stroke: '#ddd' }),
      ...more,
      Plot.line(of, { ...common, sort: 'hosts' }),
      Plot.dot(of, { ...common, fill: 'who', r: 2.5, tip: true }),
    ],
  }
}

const forks = Math.min(...points.map(point => point.forks))
for (const delay of [...new Set(points.map(({ delayMs }) => delayMs))].sort((a, b) => a - b)) {
  const of = points.filter(point => point.delayMs === delay && point.forks === forks)
  const where = delay === 0 ? 'no delay' : `a round trip takes ${delay} ms`
  const bars = Plot.ruleX(of, {
    x: 'hosts',
    y1: d => d.wall.least,
    y2: d => d.wall.most,
    stroke: 'who',
    fx: 'scenario',
  })
  show(`Time, ${where}`, 'Both axes are logarithmic; the bars are the least and the most of all rounds.', {
    ...overHosts(of, d => d.wall.median, [bars]),
    y: { type: 'log', label: 'ms' },
  })
}
const near = points.filter(point => point.delayMs === 0 && point.forks === forks)
if (near.length > 0)
  show('Client CPU for each host', 'Level once what a start costs is shared by many hosts.', {
    ...overHosts(near, 'cpuMsPerHost'),
    y: { type: 'log', label: 'ms for each host' },
  })
if (near.length > 0)
  show('Memory of the client', 'The most that all its processes had together.', {
    ...overHosts(near, 'peakMiB'),
    y: { label: 'MiB', zero: true },
  })
const most = Math.max(...memory.map(({ atMs }) => atMs))
if (memory.length > 0)
  show('Our memory over time', 'Level while hosts come and go: nothing is kept of a host but its report.', {
    color: { legend: true },
    height: 380,
    x: { label: 's', domain: [0, most / 1000] },
    y: { label: 'MiB', zero: true },
    marks: [Plot.line(memory, { x: d => d.atMs / 1000, y: 'MiB', stroke: 'run' })],
  })

for (const what of [...new Set(growth.map(({ name }) => name))]) {
  const of = growth.filter(({ name }) => name === what)
  show(`Growth: ${what}`, 'A straight line is linear growth.', {
    height: 240,
    color: { legend: true },
    x: { label: 'size', zero: true },
    y: { label: 'CPU, ms', zero: true },
    marks: [
      Plot.line(of, { x: 'size', y: 'cpuMs', stroke: '#d62728' }),
      Plot.dot(of, { x: 'size', y: 'cpuMs', fill: '#d62728', tip: true }),
    ],
  })
}
