import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import { pathsOf, ruledOf } from '../../../modules/dockerlimits/forms.ts'
import { Params } from '../../../modules/dockerlimits/params.ts'
import { decide } from '../../../modules/dockerlimits/saved.ts'
import { meaningOf } from '../../../modules/dockerlimits/values.ts'
import { composeText, services, sharingText } from './compose-texts.ts'

const edit = (content: string, wanted: object, overrides: 'report' | 'remove' = 'report') => {
  const params = Params.parse({ project: '/srv/app', services: wanted, overrides })
  const { files, blocked } = decide([{ kind: 'file', path: '/srv/app/compose.yml', content, mode: '0644' }], params)
  return { params, blocked, text: files[0]?.content ?? '' }
}

/** What a file says at a path, with a YAML parser and nothing of ours. */
function said(text: string, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([name]) => name === key)?.[1]
        : undefined,
    parse(text, { merge: true, logLevel: 'error' }),
  )
}

/** The lines that no limit stands on, with their ends. */
const elseIn = (text: string) =>
  `${text}${text.includes('\r') ? '\r' : ''}\n`
    .split(/(?<=\n)/)
    .filter(
      line =>
        !/^ *(deploy|resources|limits|reservations|memory|cpus|mem_limit|mem_reservation):(?! no)|pids/.test(line),
    )

t.test('laws of an edit: it is as ruled, once more changes nothing, everything else keeps its bytes', async t => {
  let done = 0
  fc.assert(
    fc.property(composeText, services, (before, wanted) => {
      const { params, blocked, text } = edit(before, wanted)
      // two forms that contradict each other in what is not ruled
      if (blocked.length > 0) return blocked.every(({ message }) => message.includes('compose refuses'))
      done += 1
      for (const { service, name, value } of ruledOf(params)) {
        const found = pathsOf(name).flatMap(path => said(text, ['services', service, ...path]) ?? [])
        if (found.length === 0 || found.some(each => meaningOf(name, String(each)) !== value)) {
          throw new Error(`${name} of ${service}: ${found}`)
        }
      }
      if (edit(text, wanted).text !== text) throw new Error('once more changes something')
      const remarks = (whole: string) => whole.match(/#.*/g) ?? []
      return isDeepStrictEqual([remarks(text), elseIn(text)], [remarks(before), elseIn(before)])
    }),
    { numRuns: 400 },
  )
  t.ok(done > 200, `${done} of 400 could be edited`)
})

t.test('what services share is changed for all that are ruled alike, or left alone with a reason', async t => {
  let done = 0
  fc.assert(
    fc.property(sharingText, services, (before, wanted) => {
      const { params, blocked, text } = edit(before, wanted)
      if (blocked.length > 0) return blocked.every(({ code }) => code === 'unsupported' || code === 'refused')
      done += 1
      const ruled = ruledOf(params)
      const isRuled = ruled.every(({ service, name, value }) =>
        pathsOf(name)
          .flatMap(path => said(text, ['services', service, ...path]) ?? [])
          .every(each => meaningOf(name, String(each)) === value),
      )
      const theirs = (whole: string) =>
        ['api', 'db'].flatMap(service => {
          const isOurs = (name: string) => ruled.some(each => each.service === service && each.name === name)
          const at = (...path: string[]) => said(whole, ['services', service, ...path])
          return [
            at('image'),
            at('user'),
            at('deploy', 'labels'),
            at('deploy', 'replicas'),
            isOurs('memory') || [at('mem_limit'), at('deploy', 'resources', 'limits', 'memory')],
            isOurs('cpus') || at('deploy', 'resources', 'limits', 'cpus'),
          ]
        })
      return isRuled && isDeepStrictEqual(theirs(text), theirs(before))
    }),
    { numRuns: 400 },
  )
  t.ok(done > 100, `${done} of 400 could be edited`)
})
