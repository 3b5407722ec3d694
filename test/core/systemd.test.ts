import t from 'tap'
import { parseUnits } from '../../src/core/systemd.ts'

t.test('properties of units', async t => {
  t.same(parseUnits('Id=a.timer\nExecStart={ path=/x ; argv[]=/x a=b }\nEmpty=\n\nId=b.service\nnonsense\n'), [
    { Id: 'a.timer', ExecStart: '{ path=/x ; argv[]=/x a=b }', Empty: '' },
    { Id: 'b.service' },
  ])
  t.same(parseUnits(''), [{}])
})
