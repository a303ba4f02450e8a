import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clock, progress } from './progress.ts'

function recorded(isTTY: boolean) {
  const written: string[] = []
  let ms = 0
  const bar = progress('images', 40, 'images', { isTTY, write: (text) => written.push(text) }, () => ms)
  return { written, bar, wait: (more: number) => (ms += more) }
}

test('a terminal gets one line, rewritten at most ten times a second', () => {
  const { written, bar, wait } = recorded(true)
  for (let i = 0; i < 40; i++) {
    wait(50)
    bar.advance(1, 'reward 0.50')
  }
  bar.done()
  assert.equal(written.length, 21)
  assert.equal(written[1], '\r\x1b[2Kimages: 3/40 images 7 % 20/s, 0:02 left reward 0.50')
  assert.equal(written.at(-1), '\r\x1b[2Kimages: 40 images in 0:02 reward 0.50\n')
})

test('a log file gets a line every ten seconds', () => {
  const { written, bar, wait } = recorded(false)
  for (let i = 0; i < 25; i++) {
    wait(1000)
    bar.advance()
  }
  assert.deepEqual(written, [
    'images: 10/40 images 25 % 1.00/s, 0:30 left\n',
    'images: 20/40 images 50 % 1.00/s, 0:20 left\n',
  ])
})

test('what was done before tells nothing of the time that is left', () => {
  const { written, bar, wait } = recorded(false)
  bar.skip(30)
  for (let i = 0; i < 10; i++) {
    wait(2000)
    bar.advance()
  }
  bar.done()
  assert.deepEqual(written, [
    'images: 35/40 images 87 % 0.50/s, 0:10 left\n',
    'images: 40/40 images 100 % 0.50/s, 0:00 left\n',
    'images: 10 images in 0:20\n',
  ])
})

test('times are written as a clock', () => {
  assert.deepEqual([0, 75, 3675].map(clock), ['0:00', '1:15', '1:01:15'])
})
