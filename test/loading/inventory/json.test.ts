import fc from 'fast-check'
import t from 'tap'
import { parseJson } from '../../../src/loading/inventory/json.ts'
import { parseYaml } from '../../../src/loading/inventory/yaml.ts'

/** All paths of a value: to each entry and item. */
function pathsOf(value: unknown): readonly PropertyKey[][] {
  if (typeof value !== 'object' || value === null) return [[]]
  const entries: readonly (readonly [PropertyKey, unknown])[] = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : Object.entries(value)
  return [[], ...entries.flatMap(([key, inner]) => pathsOf(inner).map(path => [key, ...path]))]
}

t.test('every part stands where the parser of YAML, which reads JSON too, finds it', async () => {
  const key = fc.string({
    unit: fc.constantFrom('a', 'b', '"', '\\\\', '{', ',', ':', ']', ' ', 'ä'),
    minLength: 1,
    maxLength: 4,
  })
  const leaf = fc.oneof(key, fc.boolean(), fc.constant(null), fc.integer())
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(value, fc.constantFrom(0, 1, 2), (data, indent) => {
      const text = JSON.stringify(data, null, indent)
      const json = parseJson(text, 'f')
      const yaml = parseYaml(text, 'f')
      return pathsOf(data).every(path => json?.locate(path) === yaml.locate(path))
    }),
  )
})

t.test('a path that leads out of the text is where it leaves it; what is no JSON is none of ours', async t => {
  const json = parseJson('{\n "a": {\n  "b": 1 },\n "c": []}', 'f')
  t.strictSame(json?.data, { a: { b: 1 }, c: [] })
  t.equal(json?.locate(['a', 'b', 'none', 'at all']), 'f:3')
  t.equal(json?.locate(['none']), 'f:1')
  t.equal(parseJson('a: 1', 'f'), undefined)
  t.equal(parseJson('', 'f'), undefined)
})

t.test('a key that is given twice is refused, however it is written', async t => {
  const twice = { code: 'invalid-inventory', message: 'f:3: the key "a" is given twice' }
  t.throws(() => parseJson('{"x": {"a": 1,\n "b": {"a": 2},\n "\\u0061": 3}}', 'f'), twice)
  t.doesNotThrow(() => parseJson('[{"a": "a"}, {"a": ["a", "a"]}]', 'f'))
})
