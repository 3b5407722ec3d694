import t from 'tap'
import { pages } from '../../scripts/docs.ts'

t.test('the tables of params in the docs are those of the schemas', async t => {
  const all = await pages()
  t.ok(all.length > 7)
  for (const { path, now, wanted } of all) t.ok(now === wanted, `${path}: run "npm run docs" and commit what it writes`)
})
