import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { withoutLeak } from '../diffusion/tensor-checks.test-helper.ts'
import type { FeatureSpace } from '../networks/features/feature-space.ts'
import { networkEncoder } from './network-features.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-network-features-'))
after(() => rmSync(folder, { recursive: true }))

const picture = (level: number) => ({ bytes: new Uint8Array(12).fill(level), width: 2, height: 2 })
const pictures = Array.from({ length: 35 }, (_, i) => picture(7 * i))

function counted(sha256: string): { space: FeatureSpace; seen: number[] } {
  const seen: number[] = []
  const features: FeatureSpace['features'] = (pixels) => {
    seen.push(pixels.shape[0])
    return pixels.flatten(2).mean(2)
  }
  return { space: { network: 'mean colours', resize: 'none', sha256, width: 3, device: 'cpu', features }, seen }
}

test('features are made in batches, and found again by whoever has the same network and images', () => {
  withoutLeak(() => {
    const told: number[] = []
    const { space, seen } = counted('a')
    const rows = networkEncoder(space, folder, (count) => told.push(count))(pictures)
    assert.deepEqual([rows.shape, rows.dtype], [[35, 3], 'float64'])
    assert.deepEqual([seen, told], [[16, 16, 3], [16, 16, 3]]) // prettier-ignore
    rows.toArray().forEach((value, i) => assert.ok(Math.abs(value - ((7 * Math.floor(i / 3)) / 127.5 - 1)) < 1e-6))

    const again = counted('a')
    assert.deepEqual(networkEncoder(again.space, folder)(pictures).toArray(), rows.toArray())
    assert.deepEqual(again.seen, [])
    networkEncoder(again.space, folder)([...pictures.slice(1), picture(3)])
    assert.deepEqual(again.seen, [16, 16, 3])

    const other = counted('b')
    networkEncoder(other.space, folder)(pictures)
    assert.deepEqual(other.seen, [16, 16, 3])
    assert.equal(readdirSync(folder).length, 3)
  })
})
