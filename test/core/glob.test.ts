import t from 'tap'
import { matchesAny } from '../../src/core/glob.ts'

t.test('globs match as sh expands them', async t => {
  t.ok(matchesAny('/etc/logrotate.d/nginx', ['/etc/logrotate.d/*']))
  t.notOk(matchesAny('/etc/logrotate.d/.x', ['/etc/logrotate.d/*']), 'dotfiles are asked for by name')
  t.ok(matchesAny('/etc/logrotate.d/.x', ['/etc/logrotate.d/.[!.]*']))
  t.notOk(matchesAny('/d/a', ['/d/[!a]']))
  t.ok(matchesAny('/d/b', ['/d/[!a]']))
  t.notOk(matchesAny('/d/a', ['/d/{a,b}']), 'sh is dash: no braces')
  t.ok(matchesAny('/d/{a}', ['/d/{a}']))
})
