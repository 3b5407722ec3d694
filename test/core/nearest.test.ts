import t from 'tap'
import { didYouMean, nearestNames } from '../../src/core/nearest.ts'

t.strictSame(nearestNames('wbe1', ['web1', 'web2', 'db1']), ['web1'])
t.strictSame(nearestNames('web9', ['web2', 'web1', 'db1']), ['web1', 'web2'])
t.strictSame(nearestNames('adress', ['address', 'user']), ['address'])
t.strictSame(nearestNames('WEB', ['web']), ['web'])
t.strictSame(nearestNames('x', ['longer', 'words']), [])
t.strictSame(nearestNames('', []), [])
t.equal(didYouMean('hst', ['host', 'port']), 'Did you mean host?')
t.equal(didYouMean('zzz', ['host', 'port']), undefined)
