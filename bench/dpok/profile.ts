/**
 * Where the time of an iteration of DPOK goes: `node_modules/.bin/node bench/dpok/profile.ts [embedded]
 * [--checkpoint <folder that checkpoint.py wrote>] [--iterations 3]`. Prints the processor time of one thread by operator,
 * forward and backward, of the last iteration, with those before it unobserved for comparison.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { useThreads } from '../../src/tensor/library.ts'
import { training } from './training.ts'

interface Observer {
  start(): void
  stop(): [operator: string, calls: number, seconds: number][]
}

const { values } = parseArgs({
  options: { checkpoint: { type: 'string' }, iterations: { type: 'string', default: '3' }, plain: { type: 'boolean' } },
})
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Compiles profile.cc as the set-up compiles native/. */
function openObserver(): Observer {
  const { torchFolder } = JSON.parse(readFileSync(file('../../build/library.json'), 'utf8')) as { torchFolder: string }
  const node = file(`../../node_modules/node/node_modules/node-${process.platform}-${process.arch}/include/node`)
  const output = file('../../build/profile.node')
  const includes = ['include', 'include/torch/csrc/api/include'].map((each) => `-isystem${join(torchFolder, each)}`)
  const words = ['-std=c++20', '-O2', '-fPIC', '-shared', ...includes, `-I${node}`]
  const libraries = [`-L${join(torchFolder, 'lib')}`, '-ltorch_cpu', '-lc10']
  execFileSync(process.env.CXX ?? 'g++', [...words, '-o', output, file('profile.cc'), ...libraries], {
    stdio: 'inherit',
  })
  return createRequire(import.meta.url)(output) as Observer
}

useThreads(1)
const size = values.checkpoint === undefined ? 'embedded' : 'stable-diffusion'
const { dpok } = training(size, values.checkpoint ?? '', { value: values.plain !== true })
const cpuSeconds = () => {
  const before = process.cpuUsage()
  dpok.step()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
for (let i = 1; i < Number(values.iterations); i++)
  console.log(`iteration: ${cpuSeconds().toFixed(2)} s of processor time`)
const observer = openObserver()
observer.start()
const observed = cpuSeconds()
const rows = observer.stop().sort(([, , one], [, , other]) => other - one)
console.log(`observed: ${observed.toFixed(2)} s\n\n| operator | calls | ms a call | s | share |\n|---|---|---|---|---|`)
for (const [name, calls, seconds] of rows.slice(0, 24)) {
  const cells = [
    name,
    calls,
    ((1e3 * seconds) / calls).toFixed(3),
    seconds.toFixed(3),
    `${((100 * seconds) / observed).toFixed(1)} %`,
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
