import assert from 'node:assert/strict'
import { test } from 'node:test'
import { random } from '../random.ts'
import { probeAlignment } from './probe-alignment.ts'
import { renderScene } from './render.ts'
import { drawScene, imageSize } from './scene.ts'

test('is the share of pictures that show what their prompts state', () => {
  const scene = drawScene(random(1), { object: 'circle', color: 'red', count: 2, background: 'white' })
  const picture = { bytes: renderScene(scene), width: imageSize, height: imageSize }
  const texts = ['two red circles', 'two blue circles', 'red circles on a white background', 'a poem']
  const pictures = texts.map(() => picture)
  assert.deepEqual(probeAlignment(pictures, texts), { alignment: 2 / 3 })
  assert.deepEqual(probeAlignment([picture], ['a poem']), {}, 'what no judge can read is no figure')
})
