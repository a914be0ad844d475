using CsCheck;
using Post.Quic.Engine.Streams;
using Post.Quic.Testing;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>Random pieces, reads and discards, against an array of bytes and a flag for each.</summary>
[TestClass]
public sealed class ReceiveAssemblerModelTests
{
    private const int Size = 20_000;

    private static readonly Gen<(int Kind, int Start, int Length)[]> Operations =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 5000], Gen.Int[0, 5000]).Array[1, 50];

    [TestMethod]
    public void An_assembler_agrees_with_its_model() => Operations.SampleSeeded(Run, iter: 1000);

    private static void Run((int Kind, int Start, int Length)[] operations)
    {
        var pool = new BlockPool();
        var assembler = new ReceiveAssembler(pool, AssemblerLimits.Stream);
        var known = new bool[Size];
        int read = 0;
        foreach ((int kind, int start, int length) in operations)
        {
            int ready = Ready(known);
            int from = Math.Min(Size, Math.Max(0, ready + start - 1000));
            int count = Math.Min(Size - from, kind < 3 ? length % 100 : length);
            switch (kind)
            {
                case < 6:
                    Assert.AreEqual(AssemblyResult.Accepted, assembler.Insert((ulong)from, Bytes(from, count)));
                    known.AsSpan(from, count).Fill(true);
                    break;
                case 6:
                    byte[] piece = Bytes(from, count);
                    byte[] direct = assembler.TakeInOrder((ulong)from, piece, start).ToArray();
                    CollectionAssert.AreEqual(Bytes(read, direct.Length), direct);
                    read += direct.Length;
                    known.AsSpan(0, read).Fill(true);
                    break;
                case 7:
                    var buffer = new byte[length];
                    int copied = assembler.Read(buffer);
                    Assert.AreEqual(Math.Min(length, ready - read), copied);
                    CollectionAssert.AreEqual(Bytes(read, copied), buffer[..copied]);
                    read += copied;
                    break;
                case 8:
                    ReadOnlySpan<byte> lent = assembler.PeekFirst();
                    CollectionAssert.AreEqual(Bytes(read, lent.Length), lent.ToArray());
                    int part = Math.Min(start, lent.Length);
                    assembler.Consume(part);
                    read += part;
                    break;
            }

            Assert.AreEqual(read, (int)assembler.ReadOffset);
            Assert.AreEqual(Ready(known), (int)assembler.ReadyOffset);
            Assert.AreEqual(known.AsSpan(read).Count(true), (int)assembler.HeldBytes);
            Assert.AreEqual(assembler.AllocatedBytes, pool.RentedBytes);
            Assert.IsTrue(
                assembler.AllocatedBytes <= (3 * assembler.HeldBytes) + (128 * 1024),
                $"{assembler.AllocatedBytes} bytes hold {assembler.HeldBytes}");
        }

        assembler.Clear();
        Assert.AreEqual(0, pool.RentedBytes, "every block comes back");
    }

    private static int Ready(bool[] known)
    {
        int ready = Array.IndexOf(known, false);
        return ready < 0 ? Size : ready;
    }

    private static byte[] Bytes(int start, int count)
    {
        var bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            bytes[i] = (byte)((start + i) * 2654435761 >> 13);
        }

        return bytes;
    }
}
