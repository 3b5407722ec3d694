import t from 'tap'
import { screenOn } from '../../src/cli/screen.ts'

function terminal() {
  const said: string[] = []
  const stream = { write: (text: string) => void said.push(text) }
  return { stream, screen: screenOn(stream), take: () => said.splice(0).join('').replaceAll('\u001b[K', '<clear>') }
}

t.test('other lines are written above the line, and never mixed with it', async t => {
  const { stream, screen, take } = terminal()
  screen.print(stream, 'before\n')
  t.equal(take(), 'before\n')
  screen.draw('1/2')
  screen.draw('1/2')
  t.equal(take(), '\r1/2<clear>', 'what stands there is not drawn again')
  screen.print(stream, 'report\n')
  t.equal(take(), '\r<clear>report\n\r1/2<clear>')
  screen.draw('')
  t.equal(take(), '\r<clear>')
  screen.print(stream, 'after\n')
  t.equal(take(), 'after\n')
})

t.test('the line is away while somebody is asked', async t => {
  const { screen, take } = terminal()
  screen.draw('1/2')
  take()
  const resume = screen.hold()
  screen.draw('2/2')
  t.equal(take(), '\r<clear>')
  resume()
  t.equal(take(), '\r2/2<clear>')
})
