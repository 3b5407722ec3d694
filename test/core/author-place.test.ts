import t from 'tap'
import { authorPlace, callerOf } from '../../src/core/author-place.ts'

const src = new URL('../../src/', import.meta.url)

t.test('a place is the first in the stack that is neither ours nor of a package nor of Node', async t => {
  const stack = [
    'TypeError: no',
    `    at hostFrom (${src.href}core/host.ts:3:4)`,
    '    at safeParse (/srv/node_modules/zod/index.js:1:2)',
    '    at new Promise (<anonymous>)',
    '    at node:internal/process/task_queues:95:5',
    '    at async Promise.all (index 0)',
    '    at async check (/srv/my%20modules/motd.ts:12:20)',
    '    at async file:///srv/other.ts:1:1',
  ]
  t.equal(authorPlace({ stack: stack.join('\n') }), '/srv/my%20modules/motd.ts:12')
  t.equal(
    authorPlace({ stack: [...stack.slice(0, 6), '    at file:///srv/my%20app/a.ts:7:1'].join('\n') }),
    '/srv/my app/a.ts:7',
  )
  t.equal(authorPlace({ stack: stack.slice(0, 6).join('\n') }), undefined)
  t.match(authorPlace(), /\/test\/core\/author-place\.test\.ts:\d+$/)
})

t.test('the caller of a function is nobody but who calls it', async t => {
  function made() {
    return callerOf(made)
  }
  t.match(made()(), /\/test\/core\/author-place\.test\.ts:\d+$/)
  t.equal([1].map(callerOf(made))[0], undefined, 'not called at all')
})
