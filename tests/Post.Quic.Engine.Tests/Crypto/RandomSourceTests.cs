using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tests.Crypto;

[TestClass]
public sealed class RandomSourceTests
{
    [TestMethod]
    public void Numbers_stay_below_their_bound_and_reach_every_value()
    {
        int seed = Random.Shared.Next();
        var random = new SeededRandomSource(seed);
        int[] seen = new int[7];
        for (int i = 0; i < 7000; i++)
        {
            seen[random.NextInt32(7)]++;
        }

        foreach (int count in seen)
        {
            Assert.IsTrue(count is > 700 and < 1300, $"{string.Join(' ', seen)}, seed {seed}");
        }

        Assert.AreEqual(0UL, random.NextUInt64(1));
        ulong bound = (1UL << 63) + 1;
        for (int i = 0; i < 1000; i++)
        {
            Assert.IsLessThan(bound, random.NextUInt64(bound));
        }
    }

    [TestMethod]
    public void The_system_gives_no_byte_twice()
    {
        // Short draws come out of blocks: over their ends, and on several threads, nothing comes again.
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<Int128, int>();
        Parallel.For(0, 4000, i =>
        {
            Span<byte> drawn = stackalloc byte[64];
            drawn = drawn[..(16 + (i % 49))];
            SystemRandomSource.Instance.Fill(drawn);
            Assert.IsTrue(seen.TryAdd(System.Buffers.Binary.BinaryPrimitives.ReadInt128LittleEndian(drawn), i));
            Assert.IsTrue(drawn.ContainsAnyExcept((byte)0));
        });
        Assert.HasCount(4000, seen);
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_numbers()
    {
        var one = new SeededRandomSource(42);
        var two = new SeededRandomSource(42);
        Assert.AreEqual(one.NextUInt64(), two.NextUInt64());
        Assert.AreEqual(one.NextUInt64(1000), two.NextUInt64(1000));
        Assert.AreEqual(one.NextBool(), two.NextBool());
    }
}
