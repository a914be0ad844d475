using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Tests.Streams;

[TestClass]
public sealed class ReceiveAssemblerTests
{
    private readonly BlockPool _pool = new();

    [TestMethod]
    public void Bytes_in_order_are_readable()
    {
        ReceiveAssembler assembler = Create();
        assembler.Insert(0, "hel"u8);
        assembler.Insert(3, "lo"u8);

        Assert.AreEqual("hell", Read(assembler, 4));
        Assert.AreEqual("o", Read(assembler, 4));
        Assert.AreEqual(0, _pool.RentedBytes, "a stream that waits keeps no memory");
    }

    [TestMethod]
    public void A_gap_that_closes_makes_all_behind_it_readable()
    {
        ReceiveAssembler assembler = Create();
        assembler.Insert(6, "world"u8);
        assembler.Insert(3, "lo "u8);
        Assert.AreEqual(0, assembler.ReadableBytes);

        assembler.Insert(0, "hello"u8);

        Assert.AreEqual("hello world", Read(assembler, 100));
        Assert.AreEqual(0, assembler.FragmentCount);
    }

    [TestMethod]
    public void Of_different_bytes_for_one_offset_the_first_stay()
    {
        ReceiveAssembler assembler = Create();
        assembler.Insert(2, "CD"u8);
        assembler.Insert(0, "abcdef"u8);
        assembler.Insert(0, "XXXXXXX"u8);

        Assert.AreEqual("abCDefX", Read(assembler, 100));
    }

    [TestMethod]
    public void A_reader_that_waits_gets_bytes_from_the_packet_itself()
    {
        ReceiveAssembler assembler = Create();
        assembler.Insert(4, "EF"u8);
        ReadOnlySpan<byte> direct = assembler.TakeInOrder(0, "abcdef"u8, 10);

        Assert.AreEqual("abcd", System.Text.Encoding.ASCII.GetString(direct));
        Assert.IsTrue(assembler.TakeInOrder(6, "gh"u8, 10).IsEmpty, "stored bytes come first");
        Assert.AreEqual("EF", Read(assembler, 100));
    }

    /// <summary>Single bytes, the last first: not one gap stays between them, however many there are.</summary>
    [TestMethod]
    public void Pieces_without_gaps_between_them_are_no_gaps()
    {
        const int Count = 20_000;
        ReceiveAssembler assembler = Create();
        byte[] data = [.. Enumerable.Range(0, Count).Select(i => (byte)(i * 7))];
        for (int i = Count - 1; i > 0; i--)
        {
            Assert.AreEqual(AssemblyResult.Accepted, assembler.Insert((ulong)i, data.AsSpan(i, 1)), $"byte {i}");
            Assert.IsLessThan(4L * Count, assembler.AllocatedBytes);
        }

        assembler.Insert(0, data.AsSpan(0, 1));
        Assert.AreEqual(Count, assembler.ReadableBytes);
        byte[] read = new byte[Count];
        Assert.AreEqual(Count, assembler.Read(read));
        CollectionAssert.AreEqual(data, read);
        Assert.AreEqual(0, _pool.RentedBytes);
    }

    [TestMethod]
    public void Tiny_gapped_pieces_are_refused_beyond_the_cap()
    {
        // CVE-2026-25800.
        ReceiveAssembler assembler = Create();
        int pieces = 0;
        while (assembler.Insert((ulong)(2 * pieces) + 1, [1]) == AssemblyResult.Accepted)
        {
            pieces++;
        }

        Assert.IsTrue(pieces is >= Limits.StreamFragments and < Limits.StreamFragments + 8, $"{pieces} pieces");
        Assert.IsTrue(assembler.AllocatedBytes <= 4 * 1024, $"{assembler.AllocatedBytes} bytes for {pieces}");
        Assert.AreEqual(pieces, assembler.FragmentCount);
        Assert.AreEqual(AssemblyResult.Accepted, assembler.Insert(0, new byte[3000]), "what closes gaps is welcome");
        Assert.AreEqual(0, assembler.FragmentCount);
    }

    [TestMethod]
    public void Gaps_between_whole_packets_are_never_too_many()
    {
        ReceiveAssembler assembler = Create();
        for (ulong i = 0; i < 20_000; i++)
        {
            Assert.AreEqual(AssemblyResult.Accepted, assembler.Insert((i * 2400) + 1200, new byte[1200]));
        }

        assembler.Clear();
        Assert.AreEqual(0, _pool.RentedBytes);
    }

    [TestMethod]
    public void Pieces_that_outlive_their_neighbours_do_not_pin_their_blocks()
    {
        // In each block one byte of the far future, the rest read at once.
        ReceiveAssembler assembler = Create();
        ulong offset = 0;
        for (int i = 0; i < 1000; i++)
        {
            assembler.Insert(1_000_000_000 + (2 * (ulong)i), [1]);
            assembler.Insert(offset, new byte[16 * 1024]);
            offset += 16 * 1024;
            assembler.Consume(16 * 1024);
        }

        Assert.IsTrue(
            assembler.AllocatedBytes <= Limits.AssemblerSlack + (64 * 1024),
            $"{assembler.AllocatedBytes} bytes hold {assembler.HeldBytes}");
    }

    [TestMethod]
    public void Crypto_data_is_capped_in_offset_and_pieces()
    {
        // RFC 9000 section 7.5, CVE-2024-1765.
        var assembler = new ReceiveAssembler(_pool, AssemblerLimits.Crypto);
        Assert.AreEqual(AssemblyResult.TooFarAhead, assembler.Insert(Limits.CryptoBytesAhead, [1]));
        for (int i = 0; i < Limits.CryptoFragments; i++)
        {
            Assert.AreEqual(AssemblyResult.Accepted, assembler.Insert((ulong)(2 * i) + 1, [1]));
        }

        Assert.AreEqual(AssemblyResult.TooManyFragments, assembler.Insert(5000, [1]));
        Assert.AreEqual(AssemblyResult.Accepted, assembler.Insert(0, [1]));
        assembler.Consume(2);
        Assert.AreEqual(AssemblyResult.Accepted, assembler.Insert(Limits.CryptoBytesAhead + 1, [1]));
    }

    private ReceiveAssembler Create() => new(_pool, AssemblerLimits.Stream);

    private static string Read(ReceiveAssembler assembler, int most)
    {
        byte[] read = new byte[most];
        return System.Text.Encoding.ASCII.GetString(read, 0, assembler.Read(read));
    }
}
