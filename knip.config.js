/**
 * What nobody uses: `knip` finds exports without an importer, files and packages; `knip --production`, which does not see
 * the tests, finds what only they keep alive. What src/index.ts exports is public.
 */
const production = process.argv.includes('--production')
const { entry, project } = {
  entry: [
    'src/{index,cli}.ts!',
    // Started as processes and threads, by `scriptBeside`.
    'src/{report-tasks,check-tasks,model-tasks,playground-drawings,images/jpeg-thread,reward/http/http-thread,shapes/pretrain-part,studio/import-process,studio/processes/studio-process,studio/jobs/print-stages,studio/devices/print-gpus,study/{run-label-curve,run-judged-policy}}.ts!',
    'web/main.tsx!',
    'scripts/{setup,build-web,build-package,typedoc-plugin}.mjs!',
    'scripts/{test,setup-tests,test-cuda-build}.mjs',
    'scripts/fuzz.ts',
    'bench/**/*.ts!',
    'recipes/*.ts!',
    '{src,web,test}/**/*.test.ts',
    // Started by tests as a process, and a tool that writes a fixture.
    'src/policy/kill-at-write.test-helper.ts',
    'src/reward/http/odd-server.test-helper.ts',
    'test/fixtures/lora/write.ts',
    'test/fake-device/commands.ts',
  ],
  project: [
    '{src,web,bench,recipes}/**/*.{ts,tsx}!',
    'scripts/**/*.{ts,mjs}',
    'test/**/*.ts',
    '!**/generated/**',
    '!test/fixtures/extending/**',
  ],
}

export default {
  entry,
  project: production ? [...project, '!**/*{.test,.test-helper}.ts!'] : project,
  ignoreExportsUsedInFile: production,
  // The tests read its file.
  ignoreDependencies: ['axe-core'],
  // Programs of the system.
  ignoreBinaries: ['nvidia-smi', 'pg_config', 'mkfifo', 'mount', 'umount'],
}
