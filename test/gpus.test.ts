/** Finding the GPU, or saying why not: machines as folders that stand for their root, and the set-up on some of them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, describe, test } from 'node:test'
import { gpusOf, type Machine } from '../scripts/setup/gpus.mjs'
import { chooseWheel, headerPackages, requirementsOf } from '../scripts/setup/cuda-wheels.mjs'
import { builtFor, missingLibrary } from '../scripts/setup/libtorch-facts.mjs'
import { type LibraryForGpus, whyNotHere, whyNotSetUp, whyNotWith } from '../scripts/setup/why-no-gpu.mjs'
import { gpuState, noteOfIdleGpu } from '../src/tensor/gpus.ts'

const project = dirname(dirname(fileURLToPath(import.meta.url)))
const temporary = mkdtempSync(join(tmpdir(), 'attune-gpus-'))
after(() => rmSync(temporary, { recursive: true, force: true }))

let machines = 0

/** A machine of these files; those that begin with #! are programs. */
function machine(files: Readonly<Record<string, string>>, environment: Record<string, string> = {}): Machine {
  const root = join(temporary, `machine-${machines++}`)
  mkdirSync(root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
  }
  return { root, environment: { PATH: process.env.PATH, ...environment }, platform: 'linux' }
}

const card = (vendor = '0x10de', kind = '0x030200') => ({
  'sys/bus/pci/devices/0000:01:00.0/vendor': `${vendor}\n`,
  'sys/bus/pci/devices/0000:01:00.0/class': `${kind}\n`,
})
const loaded = (version: string) => ({
  'proc/driver/nvidia/version': `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  ${version}  Release Build\nGCC version:  gcc version 12.2.0\n`,
})
/** What nvidia-smi prints of a driver, and of a card a row. */
const smi = (driver: string, cuda: string, rows: readonly string[]) =>
  `#!/bin/sh\nif [ $# = 0 ]; then echo '| NVIDIA-SMI ${driver}   Driver Version: ${driver}   CUDA Version: ${cuda}  |'\nelse printf '${rows.map((row) => `${row}\\n`).join('')}'; fi\n`
const failing = (words: string, code: number) => `#!/bin/sh\necho '${words}'\nexit ${code}\n`
const ready = (driver: string, cuda: string, name: string, capability: string, count = 1) => ({
  ...card(),
  ...loaded(driver),
  ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`dev/nvidia${i}`, ''])),
  'usr/lib/x86_64-linux-gnu/libcuda.so.1': '',
  'usr/bin/nvidia-smi': smi(driver, cuda, Array<string>(count).fill(`${name}, ${driver}, ${capability}`)),
})
const h100 = ready('580.65.06', '13.0', 'NVIDIA H100 80GB HBM3', '9.0')
const a100Old = ready('535.104.05', '12.2', 'NVIDIA A100-SXM4-40GB', '8.0')
const windows = { 'proc/sys/kernel/osrelease': '5.15.153.1-microsoft-standard-WSL2\n' }
const throughWindows = {
  ...windows,
  'dev/dxg': '',
  'usr/lib/wsl/lib/libcuda.so.1': '',
  'usr/lib/wsl/lib/nvidia-smi': smi('581.15', '13.0', ['NVIDIA GeForce RTX 4090, 581.15, 8.9']),
}

test('what is known of a machine comes from its files and from nvidia-smi', () => {
  const gpus = gpusOf(machine(ready('570.86.15', '12.8', 'NVIDIA L4', '8.9', 2)))
  assert.deepEqual(
    [gpus.driver, gpus.cuda, gpus.names, gpus.capabilities, gpus.devices],
    ['570.86.15', '12.8', ['NVIDIA L4', 'NVIDIA L4'], [8.9, 8.9], ['/dev/nvidia0', '/dev/nvidia1']],
  )
  const closed = machine({
    'proc/driver/nvidia/version':
      'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC\n',
  })
  assert.equal(gpusOf(closed).driver, '535.104.05')
  assert.equal(gpusOf(machine(throughWindows)).driver, '581.15')
  // A driver whose nvidia-smi knows no compute capability.
  const older = {
    ...a100Old,
    'usr/bin/nvidia-smi': smi('470.1', '11.4', []).replace('else printf', 'else exit 2; printf'),
  }
  assert.deepEqual([gpusOf(machine(older)).capabilities, gpusOf(machine(older)).cuda], [[], '11.4'])
})

describe('why no GPU is used on', () => {
  const cases: [title: string, given: Machine, code: string | undefined, said?: RegExp, setUp?: boolean][] = [
    ['a machine without one', machine({ ...card('0x8086') }), 'none', /no NVIDIA GPU/],
    ['a machine that has the sound of a card alone', machine(card('0x10de', '0x040300')), 'none'],
    ['a machine with one', machine(h100), undefined],
    ['macOS', { ...machine({}), platform: 'darwin' }, 'macos', /no CUDA on macOS/],
    ['a machine with a card and no driver', machine(card()), 'no-driver', /PCI 0000:01:00\.0.*driver is not loaded/],
    ['a machine whose driver gave no device', machine({ ...card(), ...loaded('580.1') }), 'no-devices', /580\.1/],
    ['an AMD GPU', machine({ 'dev/kfd': '', ...card('0x1002') }), 'amd', /ROCm is not supported/],
    ['an AMD GPU beside NVIDIA’s', machine({ ...h100, 'dev/kfd': '' }), undefined],
    ['WSL 2', machine(throughWindows), undefined],
    ['WSL 2 without a driver', machine({ ...windows, 'dev/dxg': '' }), 'wsl-without-driver', /driver for Windows/],
    [
      'a container of Docker for Windows',
      machine({ ...windows, '.dockerenv': '' }),
      'wsl-without-gpu',
      /start the container with it/,
    ],
    ['WSL 1', machine(windows), 'wsl-without-gpu', /without \/dev\/dxg/],
    [
      'a container that was started without it',
      machine({ ...card(), ...loaded('580.1'), '.dockerenv': '' }),
      'container',
      /docker run --gpus all/,
    ],
    ['a pod without it', machine(card(), { KUBERNETES_SERVICE_HOST: '10.0.0.1' }), 'container', /nvidia\.com\/gpu/],
    ['a container that was started with it', machine({ ...h100, '.dockerenv': '' }), undefined],
    [
      'a container without the driver’s library',
      machine({ ...loaded('580.1'), 'dev/nvidia0': '', '.dockerenv': '' }),
      'no-libcuda',
      /NVIDIA_DRIVER_CAPABILITIES/,
      true,
    ],
    [
      'a container that is to have none',
      machine({ ...h100, '.dockerenv': '' }, { NVIDIA_VISIBLE_DEVICES: 'void' }),
      'not-lent',
      /void/,
      true,
    ],
    [
      'a driver that was renewed while it ran',
      machine({
        ...h100,
        'usr/bin/nvidia-smi': failing('Failed to initialize NVML: Driver/library version mismatch', 18),
      }),
      'trouble',
      /mismatch.*start the machine again/,
      true,
    ],
    [
      'a machine whose scheduler lends none',
      machine({ ...h100, 'usr/bin/nvidia-smi': '#!/bin/sh\necho No devices were found\n' }),
      'trouble',
      /No devices were found; ask the scheduler/,
      true,
    ],
    ...['', '-1', 'NoDevFiles', 'none', '1', '7,0'].map((visible): [string, Machine, string, RegExp, boolean] => [
      `CUDA_VISIBLE_DEVICES=${visible}`,
      machine(h100, { CUDA_VISIBLE_DEVICES: visible }),
      'hidden',
      /CUDA_VISIBLE_DEVICES/,
      true,
    ]),
    ...['0', 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6', '0,7'].map((visible): [string, Machine, undefined] => [
      `CUDA_VISIBLE_DEVICES=${visible}`,
      machine(h100, { CUDA_VISIBLE_DEVICES: visible }),
      undefined,
    ]),
  ]
  for (const [title, given, code, said = /./, setUp = code === undefined] of cases) {
    test(title, () => {
      const gpus = gpusOf(given)
      const reason = whyNotHere(gpus)
      assert.equal(reason?.code, code)
      if (reason !== undefined) assert.match(`${reason.why}; ${reason.remedy}`, said)
      // What passes is no reason to be set up for the CPU.
      assert.equal(whyNotSetUp(gpus) === undefined, setUp)
    })
  }
  test('a machine whose device only others may open', () => {
    const gpus = { ...gpusOf(machine(h100)), closed: ['/dev/nvidia0'] }
    assert.equal(whyNotHere(gpus)?.code, 'closed')
  })
})

describe('why a libtorch does not use the GPU', () => {
  const cuda13: LibraryForGpus = { how: 'private', version: '2.13.0+cu130', cuda: '13.0', hip: false, linked: true }
  const cpu: LibraryForGpus = { ...cuda13, version: '2.13.0+cpu', cuda: undefined, linked: false }
  const cases: [title: string, files: Record<string, string>, library: LibraryForGpus, code?: string, said?: RegExp][] =
    [
      ['one for CUDA', h100, cuda13],
      ['one whose CUDA is not known', a100Old, { ...cuda13, cuda: 'of unknown version' }],
      ['one for the CPU, Attune’s own', h100, cpu, 'cpu-library', /\+cpu \(private\).*for the CPU alone; run .*again/],
      ['one for the CPU, of python3', h100, { ...cpu, how: 'python3' }, 'cpu-library', /a libtorch of its own/],
      [
        'one for the CPU, of LIBTORCH',
        h100,
        { ...cpu, how: 'LIBTORCH' },
        'cpu-library',
        /name one for CUDA in LIBTORCH/,
      ],
      ['one for ROCm', h100, { ...cpu, version: '2.13.0+rocm7', hip: true }, 'rocm', /ROCm, which is not supported/],
      [
        'a wheel that is ready for the CPU',
        h100,
        { ...cuda13, missing: 'libcublas.so.13' },
        'incomplete',
        /libcublas\.so\.13/,
      ],
      [
        'one newer than the driver',
        a100Old,
        cuda13,
        'old-driver',
        /13\.0, which needs .*580 or newer.*535\.104\.05.*12\.2/,
      ],
      [
        'one newer than the driver, with libraries that make up for it',
        { ...a100Old, 'usr/bin/nvidia-smi': smi('535.104.05', '13.0', ['NVIDIA A100-SXM4-40GB, 535.104.05, 8.0']) },
        cuda13,
      ],
      [
        'one newer than the card',
        ready('580.1', '13.0', 'Tesla V100-SXM2-16GB', '7.0'),
        cuda13,
        'card',
        /capability 7/,
      ],
      ['one older than the card', ready('580.1', '13.0', 'NVIDIA B200', '10.0'), { ...cuda13, cuda: '12.6' }, 'card'],
      [
        'one of an image that was made without a GPU',
        h100,
        { ...cuda13, linked: false },
        'set-up-before',
        /run .*again here/,
      ],
      [
        'one that was set up for the CPU on request',
        h100,
        { ...cuda13, linked: false, asked: 'no' },
        'asked',
        /ATTUNE_GPU=no/,
      ],
    ]
  for (const [title, files, library, code, said = /./] of cases) {
    test(title, () => {
      const reason = whyNotWith(gpusOf(machine(files)), library)
      assert.equal(reason?.code, code)
      if (reason !== undefined) assert.match(`${reason.why}; ${reason.remedy}`, said)
    })
  }
})

describe('the wheel that is chosen for', () => {
  const all = () => true
  const cases: [title: string, files: Record<string, string>, offers: (build: string) => boolean, wheel: string][] = [
    ['a new driver', h100, () => false, '13.0'],
    ['a driver for CUDA 12', a100Old, all, '12.9'],
    ['a driver for CUDA 12, where the newest is not offered', a100Old, (build) => build === 'cu126', '12.6'],
    [
      'a driver for CUDA 12, where nothing is offered',
      a100Old,
      () => false,
      'none: .*8.*535.*12\\.9 or 12\\.8 or 12\\.6',
    ],
    [
      'a driver for CUDA 11',
      ready('470.82.01', '11.4', 'Tesla T4', '7.5'),
      all,
      'none: .*T4.*470\\.82\\.01.*renew the driver',
    ],
    ['a card of Volta', ready('580.1', '13.0', 'Tesla V100', '7.0'), all, '12.6'],
    [
      'a card of Blackwell with an older driver',
      ready('570.1', '12.8', 'NVIDIA B200', '10.0'),
      (build) => build !== 'cu129',
      '12.8',
    ],
    ['a card that is too old', ready('470.1', '11.4', 'Tesla K80', '3.7'), all, 'none: .*K80.*3\\.7'],
    [
      'a driver that says nothing of itself',
      { 'dev/dxg': '', ...windows, 'usr/lib/wsl/lib/libcuda.so.1': '' },
      all,
      '13.0',
    ],
  ]
  for (const [title, files, offers, expected] of cases) {
    test(title, () => {
      const wheel = chooseWheel(gpusOf(machine(files)), (_, build) => offers(build))
      assert.match('cuda' in wheel ? wheel.cuda : `none: ${wheel.why} ${wheel.remedy}`, new RegExp(`^${expected}`))
    })
  }

  test('it brings NVIDIA’s packages and no others', () => {
    const metadata = [
      'Requires-Dist: filelock',
      'Requires-Dist: cuda-toolkit[cublas,cudart]==13.0.3; platform_system == "Linux"',
      'Requires-Dist: nvidia-nccl-cu13==2.29.7; platform_system == "Linux"',
      'Requires-Dist: triton==3.7.1; platform_system == "Linux"',
      'Requires-Dist: nvidia-extra==1.0; extra == "more"',
    ]
    // pip reads the rest of a requirement itself.
    assert.deepEqual(requirementsOf(metadata.join('\n')), [
      'cuda-toolkit[cublas,cudart]==13.0.3; platform_system == "Linux"',
      'nvidia-nccl-cu13==2.29.7; platform_system == "Linux"',
    ])
    assert.deepEqual(headerPackages('13.0'), ['nvidia-cuda-crt==13.0.*', 'nvidia-cuda-cccl==13.0.*'])
    assert.deepEqual(headerPackages('12.6'), ['nvidia-cuda-nvcc-cu12==12.6.*', 'nvidia-cuda-cccl-cu12==12.6.*'])
  })
})

describe('a libtorch tells by its files', () => {
  const libtorch = (name: string, files: Readonly<Record<string, string>>) => {
    const folder = join(temporary, name)
    for (const [file, text] of Object.entries({ 'include/ATen/x.h': '', 'lib/libtorch_cpu.so': '', ...files })) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
    return folder
  }
  const onLinux = process.platform === 'linux' ? test : test.skip
  onLinux('what it is built for', () => {
    const cuda = { 'lib/libtorch_cuda.so': '' }
    const wheel = "__version__ = '2.13.0'\ncuda: Optional[str] = '13.0'\n"
    assert.deepEqual(builtFor(libtorch('wheel', { ...cuda, 'version.py': wheel })), { cuda: '13.0', hip: false })
    assert.deepEqual(builtFor(libtorch('zip', { ...cuda, 'build-version': '2.9.0+cu126\n' })), {
      cuda: '12.6',
      hip: false,
    })
    assert.equal(builtFor(libtorch('own', { ...cuda, 'build-version': '2.9.0a0\n' })).cuda, 'of unknown version')
    assert.deepEqual(builtFor(libtorch('plain', { 'version.py': wheel })), { cuda: undefined, hip: false })
    assert.deepEqual(builtFor(libtorch('rocm', { 'lib/libtorch_hip.so': '' })), { cuda: undefined, hip: true })
  })
  onLinux('which library is not beside it', (context) => {
    const folder = libtorch('incomplete', {})
    const compiled = (name: string, ...words: string[]) =>
      spawnSync(process.env.CXX ?? 'g++', ['-shared', '-o', join(folder, 'lib', name), ...words], { cwd: folder })
        .status
    if (compiled('libbeside.so', '-Wl,-soname,libbeside.so.13', '-xc++', '/dev/null') !== 0)
      return context.skip('there is no compiler')
    assert.equal(compiled('libtorch_cuda.so', '-Wl,--no-as-needed', join(folder, 'lib', 'libbeside.so')), 0)
    assert.equal(missingLibrary(folder), 'libbeside.so.13')
    assert.equal(compiled('libtorch_cuda.so', '-xc++', '/dev/null'), 0)
    assert.equal(missingLibrary(folder), undefined)
  })
})

describe('the program', () => {
  const here = gpuState()
  const idle = here.devices > 0
  test('says why it sees no GPU, or which it sees', { skip: idle }, () => {
    const elsewhere = gpuState(machine(card()))
    assert.equal(elsewhere.reason?.code, 'no-driver')
    assert.match(elsewhere.sentence, /^no GPU: .*PCI 0000:01:00\.0.*; install NVIDIA’s driver/)
    assert.match(noteOfIdleGpu(elsewhere) ?? '', /^computing on the CPU, since an NVIDIA GPU/)
    assert.equal(noteOfIdleGpu(gpuState(machine({}))), undefined)
    assert.equal(noteOfIdleGpu(gpuState(machine(h100, { CUDA_VISIBLE_DEVICES: '' }))), undefined)
  })
  test('refuses a GPU that is not there with the reason', { skip: idle }, () => {
    const words = ['images', 'generate', '--prompts', 'x.txt', '--model', 'test/fixtures/stable-diffusion/sd1']
    const cli = join(project, 'src', 'cli.ts')
    const prompts = join(temporary, 'x.txt')
    writeFileSync(prompts, 'a cat\n')
    words[3] = prompts
    const { status, stderr } = spawnSync(
      process.execPath,
      [cli, ...words, '--device', 'cuda', '--out', join(temporary, 'out')],
      { cwd: project, encoding: 'utf8' },
    )
    assert.equal(status, 2, stderr)
    assert.match(stderr, /--device: expected cpu, since .*, received cuda:0 — /)
  })
})

const { bavail, bsize } = statfsSync(temporary)
const skip = process.platform !== 'linux' ? 'not Linux' : bavail * bsize < 11e9 ? '11 GB are not free' : false
describe('the set-up', { skip }, () => {
  /** A python3 whose pip lays down a torch that was asked for, offers the builds in $OFFERS, and is written down in `asked`. */
  const python = `#!/bin/sh
echo "$*" >> "$ASKED"
case "$*" in
  --version) echo Python 3.12.1 ;;
  -c*) echo "$THEIRS" ;;
  *"index versions"*) for build in $OFFERS; do case "$*" in *"/$build "*) echo "torch (2.13.0+$build)"; exit 0 ;; esac; done; exit 1 ;;
  *"pip install"*)
    [ -n "$OFFLINE" ] && { echo "NewConnectionError: no network" >&2; exit 1; }
    while [ "$1" != --target ]; do shift; done
    target=$2
    for word in "$@"; do case $word in torch==*) version=\${word#torch==} ;; esac; done
    [ -z "$version" ] && exit 0
    mkdir -p "$target/torch/include/ATen" "$target/torch/lib" "$target/torch-2.dist-info"
    : > "$target/torch/lib/libtorch_cpu.so"
    echo 'Requires-Dist: nvidia-nccl==1; platform_system == "Linux"' > "$target/torch-2.dist-info/METADATA"
    case $version in *+cpu) cuda=None ;; *+cu126) cuda="'12.6'" ;; *) cuda="'13.0'" ;; esac
    [ $cuda = None ] || : > "$target/torch/lib/libtorch_cuda.so"
    printf "__version__ = '%s'\\ncuda: Optional[str] = %s\\n" "$version" "$cuda" > "$target/torch/version.py" ;;
esac
`
  let places = 0
  function fresh() {
    const place = join(temporary, `place-${places++}`)
    mkdirSync(join(place, 'src'), { recursive: true })
    mkdirSync(join(place, 'build'))
    mkdirSync(join(place, 'programs'))
    cpSync(join(project, 'scripts', 'setup'), join(place, 'scripts', 'setup'), { recursive: true })
    cpSync(join(project, 'package.json'), join(place, 'package.json'))
    writeFileSync(join(place, 'programs', 'python3'), python, { mode: 0o755 })
    const asked = join(place, 'asked')
    const find = ({ root }: Machine, environment: Record<string, string> = {}) => {
      rmSync(asked, { force: true })
      const script = `const { findLibrary } = await import(${JSON.stringify(join(place, 'scripts', 'setup', 'library.mjs'))})
        console.log(JSON.stringify(await findLibrary({ root: ${JSON.stringify(root)} })))`
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        encoding: 'utf8',
        env: { PATH: `${join(place, 'programs')}${delimiter}${process.env.PATH}`, ASKED: asked, ...environment },
      })
      const library = (stdout === '' ? {} : JSON.parse(stdout)) as {
        readonly how?: string
        readonly version?: string
        readonly cuda?: boolean
        readonly reason?: { readonly code: string; readonly why: string; readonly remedy: string }
      }
      const calls = existsSync(asked) ? readFileSync(asked, 'utf8').trim().split('\n') : []
      const { how, version, cuda, reason } = library
      return { how, version, cuda, reason, stderr, pip: calls.filter((call) => /pip (install|index)/.test(call)) }
    }
    return { place, find }
  }

  test('brings the wheel of pip’s index and NVIDIA’s libraries for a new driver, once', () => {
    const { find } = fresh()
    const first = find(machine(h100))
    assert.deepEqual([first.how, first.version, first.cuda], ['private', '2.13.0', true], first.stderr)
    assert.equal(first.pip.length, 2)
    assert.match(first.pip[0], /--no-deps torch==2\.13\.0$/)
    assert.match(first.pip[1], / nvidia-nccl==1; platform_system == "Linux"$/)
    const again = find(machine(h100))
    assert.deepEqual([again.cuda, again.pip, again.reason], [true, [], undefined])
    const mismatch = { ...h100, 'usr/bin/nvidia-smi': failing('Driver/library version mismatch', 18) }
    const broken = find(machine(mismatch))
    assert.deepEqual([broken.cuda, broken.reason?.code], [true, 'trouble'])
  })

  test('reads the driver before it downloads, and takes the newest wheel that it runs', () => {
    const { find } = fresh()
    const { version, cuda, pip, stderr } = find(machine(a100Old), { OFFERS: 'cu126' })
    assert.deepEqual([version, cuda], ['2.13.0+cu126', true], stderr)
    assert.deepEqual(
      pip.map((call) => /whl\/(cu\d+)/.exec(call)?.[1]),
      ['cu129', 'cu128', 'cu126', 'cu126', 'cu126'],
    )
  })

  test('takes the CPU, and says which driver is wanted, where none can be had; the network is not asked in passing', () => {
    const { find } = fresh()
    const { version, cuda, reason } = find(machine(a100Old), { OFFERS: 'cpu' })
    assert.deepEqual([version, cuda], ['2.13.0+cpu', false])
    assert.match(reason?.why ?? '', /driver 535\.104\.05 needs a libtorch for CUDA 12\.9 or 12\.8 or 12\.6/)
    assert.match(reason?.remedy ?? '', /renew the driver \(580 or newer/)
    const again = find(machine(a100Old), { OFFERS: 'cpu', npm_lifecycle_event: 'start' })
    assert.deepEqual([again.pip, again.reason], [[], reason])
    assert.equal(find(machine(a100Old), { OFFERS: 'cpu' }).pip.length, 3, 'the set-up by name asks again')
    assert.equal(find(machine(h100)).cuda, true, 'a new driver is noticed')
  })

  test('on a machine that has got a GPU brings another libtorch, and keeps the old one where that fails', () => {
    const { find } = fresh()
    const before = find(machine({}), { OFFERS: 'cpu' })
    assert.deepEqual([before.version, before.cuda, before.reason?.code], ['2.13.0+cpu', false, 'none'])
    const offline = find(machine(h100), { OFFLINE: '1' })
    assert.deepEqual([offline.version, offline.cuda], ['2.13.0+cpu', false])
    assert.match(
      offline.reason?.why ?? '',
      /\+cpu \(private\) is built for the CPU alone, and pip cannot reach its index/,
    )
    assert.match(offline.reason?.remedy ?? '', /run `npm run setup` again/)
    assert.deepEqual(find(machine(h100), { OFFLINE: '1', npm_lifecycle_event: 'demo' }).pip, [])
    const renewed = find(machine({ ...h100, ...loaded('590.1') }))
    assert.deepEqual([renewed.version, renewed.cuda], ['2.13.0', true], renewed.stderr)
  })

  test('completes a libtorch that was ready for the CPU alone', (context) => {
    const { place, find } = fresh()
    const [torch, gone] = [join(place, '.libtorch', 'torch'), join(place, 'libgone.so')]
    for (const folder of ['include/ATen', 'lib']) mkdirSync(join(torch, folder), { recursive: true })
    writeFileSync(join(torch, 'lib', 'libtorch_cpu.so'), '')
    writeFileSync(join(torch, 'version.py'), "__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\n")
    const compiled = (...words: string[]) => spawnSync(process.env.CXX ?? 'g++', ['-shared', '-o', ...words]).status
    if (compiled(gone, '-Wl,-soname,libgone.so', '-xc++', '/dev/null') !== 0)
      return context.skip('there is no compiler')
    assert.equal(compiled(join(torch, 'lib', 'libtorch_cuda.so'), '-Wl,--no-as-needed', gone), 0)
    rmSync(gone)
    assert.deepEqual([find(machine({})).version, find(machine({})).pip], ['2.13.0+cu130', []])
    const { version, cuda, stderr } = find(machine(h100))
    assert.deepEqual([version, cuda], ['2.13.0', true])
    assert.match(stderr, /built for CUDA 13\.0, but libgone\.so is not beside it: Attune gets another/)
  })

  test('passes over a torch of python3 that cannot use the GPU', () => {
    const { place, find } = fresh()
    const theirs = join(place, 'theirs', 'torch')
    for (const folder of ['include/ATen', 'lib']) mkdirSync(join(theirs, folder), { recursive: true })
    writeFileSync(join(theirs, 'lib', 'libtorch_cpu.so'), '')
    writeFileSync(join(theirs, 'version.py'), "__version__ = '2.9.0+cpu'\ncuda: Optional[str] = None\n")
    const plain = find(machine({}), { THEIRS: theirs })
    assert.deepEqual([plain.how, plain.cuda], ['python3', false])
    const { how, cuda, stderr } = find(machine(h100), { THEIRS: theirs })
    assert.deepEqual([how, cuda], ['private', true])
    assert.match(
      stderr,
      /2\.9\.0\+cpu \(python3\) is built for the CPU alone: Attune gets another \(ATTUNE_GPU=no keeps it/,
    )
    const kept = find(machine(h100), { THEIRS: theirs, ATTUNE_GPU: 'no' })
    assert.deepEqual([kept.how, kept.cuda, kept.reason?.code], ['python3', false, 'asked'])
  })

  test('is told by ATTUNE_GPU what a machine does not show', () => {
    const { find } = fresh()
    const image = machine({ ...loaded('535.104.05'), ...card(), '.dockerenv': '' })
    assert.deepEqual([find(image, { OFFERS: 'cpu' }).cuda], [false])
    const yes = find(machine({}), { ATTUNE_GPU: 'yes' })
    assert.deepEqual([yes.version, yes.cuda], ['2.13.0', true])
    assert.match(find(machine({}), { ATTUNE_GPU: 'maybe' }).stderr, /ATTUNE_GPU=maybe is neither yes nor no/)
  })
})
