using System.Buffers;
using System.IO.Pipelines;
using Post.Sockets.Objects;

namespace Post.Sockets.Tests.Objects;

[TestClass]
[DoNotParallelize] // It counts what the process allocates.
public sealed class PipeBlocksTests
{
    [TestMethod]
    public void A_block_is_given_out_to_one_at_a_time()
    {
        IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, 100).Select(_ => PipeBlocks.Shared.Rent(1))];
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i].Memory.Span.Fill((byte)i);
        }

        for (int i = 0; i < blocks.Length; i++)
        {
            Assert.AreEqual(PipeBlocks.Size, blocks[i].Memory.Length);
            Assert.IsTrue(blocks[i].Memory.Span.IndexOfAnyExcept((byte)i) < 0);
        }

        // Twice, as careless owners do: it must not come back as two.
        foreach (IMemoryOwner<byte> block in blocks.Concat(blocks))
        {
            block.Dispose();
        }

        IMemoryOwner<byte>[] again = [.. Enumerable.Range(0, 200).Select(_ => PipeBlocks.Shared.Rent(1))];
        Assert.HasCount(200, again.ToHashSet());
        Array.ForEach(again, block => block.Dispose());
    }

    [TestMethod]
    public void More_than_a_block_comes_from_elsewhere()
    {
        using IMemoryOwner<byte> large = PipeBlocks.Shared.Rent(PipeBlocks.Size + 1);
        Assert.IsGreaterThan(PipeBlocks.Size, large.Memory.Length);
    }

    [TestMethod]
    public async Task Many_pipes_that_one_thread_fills_and_another_empties_allocate_little()
    {
        const int Pipes = 32;
        const int Rounds = 40;
        await PassAsync(Pipes, 1);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        await PassAsync(Pipes, Rounds);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        long passed = (long)Pipes * Rounds * 8 * PipeBlocks.Size;
        Assert.IsLessThan(passed / 8, allocated, $"{allocated} bytes for {passed}.");
    }

    private static async Task PassAsync(int pipes, int rounds)
    {
        Pipe[] all = [.. Enumerable.Range(0, pipes).Select(_ => new Pipe(new PipeOptions(
            PipeBlocks.Shared, minimumSegmentSize: PipeBlocks.Size, pauseWriterThreshold: 0, useSynchronizationContext: false)))];
        for (int round = 0; round < rounds; round++)
        {
            await Task.Run(async () =>
            {
                foreach (Pipe pipe in all)
                {
                    for (int i = 0; i < 8; i++)
                    {
                        pipe.Writer.GetMemory();
                        pipe.Writer.Advance(PipeBlocks.Size);
                    }

                    await pipe.Writer.FlushAsync();
                }
            });
            await Task.Run(() =>
            {
                foreach (Pipe pipe in all)
                {
                    Assert.IsTrue(pipe.Reader.TryRead(out ReadResult read));
                    pipe.Reader.AdvanceTo(read.Buffer.End);
                }
            });
        }
    }
}
