using System.Buffers.Binary;
using Post.Quic.Engine.Diagnostics;

namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>The ring between a connection and its log's writer.</summary>
[TestClass]
public sealed class QlogRingTests
{
    [TestMethod]
    public void Records_come_out_as_they_went_in_whatever_their_sizes()
    {
        const int Seed = 5;
        var random = new Random(Seed);
        using var ring = new QlogRing(4096);
        var model = new Queue<byte[]>();
        int refused = 0;
        for (int i = 0; i < 50_000; i++)
        {
            if (random.Next(2) == 0)
            {
                int reserved = 1 + random.Next(700);
                if (ring.TryReserve(reserved, out Span<byte> record))
                {
                    Assert.AreEqual(reserved, record.Length);
                    byte[] data = new byte[random.Next(reserved + 1)];
                    random.NextBytes(data);
                    data.CopyTo(record);
                    ring.Commit(data.Length);
                    model.Enqueue(data);
                }
                else
                {
                    refused++;
                    Assert.IsGreaterThan(4096 - (2 * 704), ring.Pending, $"refused although there is room; seed {Seed}");
                }
            }
            else if (ring.TryPeek(out ReadOnlySpan<byte> record))
            {
                Assert.IsTrue(record.SequenceEqual(model.Dequeue()), $"step {i}, seed {Seed}");
                ring.Release();
            }
            else
            {
                Assert.IsEmpty(model);
            }
        }

        Assert.IsGreaterThan(100, refused);
    }

    [TestMethod]
    public async Task One_thread_can_write_while_another_reads()
    {
        const int Records = 200_000;
        using var ring = new QlogRing(16 * 1024);
        Task writer = Task.Factory.StartNew(
            () =>
            {
                var wait = new SpinWait();
                for (int i = 0; i < Records;)
                {
                    int size = sizeof(int) + (i % 57);
                    if (!ring.TryReserve(size, out Span<byte> record))
                    {
                        wait.SpinOnce();
                        continue;
                    }

                    BinaryPrimitives.WriteInt32LittleEndian(record, i);
                    record[sizeof(int)..].Fill((byte)i);
                    ring.Commit(size);
                    i++;
                }
            },
            TaskCreationOptions.LongRunning);

        var spin = new SpinWait();
        for (int i = 0; i < Records;)
        {
            if (!ring.TryPeek(out ReadOnlySpan<byte> record))
            {
                spin.SpinOnce();
                continue;
            }

            Assert.AreEqual(i, BinaryPrimitives.ReadInt32LittleEndian(record));
            Assert.AreEqual(sizeof(int) + (i % 57), record.Length);
            Assert.IsFalse(record[sizeof(int)..].ContainsAnyExcept((byte)i));
            ring.Release();
            i++;
        }

        await writer;
    }
}
