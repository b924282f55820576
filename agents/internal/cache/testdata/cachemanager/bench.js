// Prints the hits per second of one tier of the design document's CacheManager,
// in one process. REDIS_ADDRESSES names the cluster's nodes:
//
//   node bench.js local|redis MILLISECONDS WORKERS
const CacheManager = require('./cachemanager.js');
const [tier, milliseconds, workers] = process.argv.slice(2);

const cache = new CacheManager(process.env.REDIS_ADDRESSES.split(',').map((address) => {
  const [host, port] = address.split(':');
  return { host, port: Number(port) };
}));

// As the benchmarks of our cache: 1,024 values of some 300 bytes.
const ids = Array.from({ length: 1024 }, (_, i) => `user-${i}`);
const value = { name: 'x'.repeat(250), days: [1, 2, 3, 4, 5, 6, 7], made: new Date() };

// The keys are made at each read, as the CacheManager's own methods do. Each
// worker reads the clock after every batch of values.
const tiers = {
  local: { get: (id) => cache.getNutritionData(id), set: (id) => cache.cacheNutritionData(id, value), batch: 64 },
  redis: { get: (id) => cache.get(`session:${id}`, 'userSession'), set: (id) => cache.set(`session:${id}`, value, 'userSession'), batch: 1 }
};

async function main() {
  const { get, set, batch } = tiers[tier];
  for (const id of ids) {
    await set(id);
  }
  const start = performance.now();
  const counts = await Promise.all(Array.from({ length: Number(workers) }, async (_, worker) => {
    let count = 0;
    while (performance.now() - start < Number(milliseconds)) {
      for (let i = 0; i < batch; i++) {
        if (await get(ids[(worker * 97 + count) % ids.length]) === null) {
          throw new Error('a value is not in the cache');
        }
        count++;
      }
    }
    return count;
  }));
  console.log(counts.reduce((sum, count) => sum + count) / (performance.now() - start) * 1000);
  cache.localCache.close();
  cache.redisCluster.disconnect();
}

main();
