using System.Text;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Associations;

[TestClass]
public sealed class PostStreamTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void Bytes_flow_both_ways_in_order_to_their_ends() => new PostWorld(4, PostWorld.Link(20_000_000, 10, loss: 0.02)).Run(async world =>
    {
        var there = PostWorld.Bytes(300_000, 1);
        var back = PostWorld.Bytes(200_000, 2);
        await using var ours = await world.Client.OpenStreamAsync(new() { Niceness = 3 });
        var writing = WriteAsync(ours, there);
        await using var theirs = await world.Server.AcceptStreamAsync();
        Assert.AreEqual(3, theirs.Niceness);
        var answering = WriteAsync(theirs, back);
        CollectionAssert.AreEqual(there, await ReadAllAsync(theirs));
        CollectionAssert.AreEqual(back, await ReadAllAsync(ours));
        await writing;
        await answering;

        static async Task WriteAsync(PostStream stream, byte[] bytes)
        {
            for (var offset = 0; offset < bytes.Length; offset += 50_000)
            {
                await stream.WriteAsync(bytes.AsMemory(offset, 50_000));
            }

            await stream.CompleteWritesAsync();
        }
    });

    [TestMethod]
    public void Pipes_work_on_both_ends() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var ours = await world.Client.OpenStreamAsync();
        await ours.Output.WriteAsync("hello"u8.ToArray());
        await ours.Output.CompleteAsync();
        var theirs = await world.Server.AcceptStreamAsync();
        var result = await theirs.Input.ReadAtLeastAsync(5);
        Assert.AreEqual("hello", Encoding.UTF8.GetString(result.Buffer));
        theirs.Input.AdvanceTo(result.Buffer.End);
        Assert.IsTrue((await theirs.Input.ReadAsync()).IsCompleted);
        await theirs.DisposeAsync();
        await ours.DisposeAsync();
    });

    [TestMethod]
    public void Abort_breaks_the_other_side_off() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var ours = await world.Client.OpenStreamAsync();
        await ours.WriteAsync(new byte[10]);
        var theirs = await world.Server.AcceptStreamAsync();
        Assert.AreEqual(10, await theirs.ReadAsync(new byte[100]));
        ours.Abort();
        await Assert.ThrowsExactlyAsync<PostException>(() => theirs.ReadAsync(new byte[100]).AsTask());
        await Assert.ThrowsExactlyAsync<PostException>(() => ours.WriteAsync(new byte[1]).AsTask());
    });

    [TestMethod]
    public void A_peer_that_takes_no_streams_refuses_them() => new PostWorld(link: PostWorld.Link(delay: 5))
    {
        ServerOptions = new() { AcceptStreams = false },
    }.Run(async world =>
    {
        await world.DelayAsync(50);
        var error = await Assert.ThrowsExactlyAsync<PostException>(() => world.Client.OpenStreamAsync().AsTask());
        Assert.AreEqual(PostErrorReason.NotSupported, error.Reason);
    });

    [TestMethod]
    public void Handlers_get_streams_too() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        world.Server.Register<StreamOpened>(async opened =>
        {
            await opened.Stream.CopyToAsync(opened.Stream);
            await opened.Stream.CompleteWritesAsync();
        });
        await using var stream = await world.Client.OpenStreamAsync();
        await stream.WriteAsync("echo"u8.ToArray());
        await stream.CompleteWritesAsync();
        Assert.AreEqual("echo", Encoding.UTF8.GetString(await ReadAllAsync(stream)));
    });

    [TestMethod]
    [DataRow(InMemoryNetwork.DefaultCapabilities)]
    [DataRow(InMemoryNetwork.DefaultCapabilities & ~TransportCapabilities.Priorities)]
    public void A_reserved_stream_keeps_its_bandwidth_beside_bulk(TransportCapabilities capabilities) =>
        new PostWorld(link: PostWorld.Link(10_000_000, 20), capabilities: capabilities).Run(async world =>
        {
            world.Server.Register<Received>(_ => { });
            await world.Client.Send(new byte[500_000]).Completion;
            for (var i = 0; i < 20; i++)
            {
                // More urgent than the stream's niceness: only the reservation holds against them.
                world.Client.Send(new byte[2_000_000], new() { Niceness = 0 });
            }

            var stream = await world.Client.OpenStreamAsync(new() { Niceness = 50, Bandwidth = 2_000_000 });
            var writing = WriteAsync(stream);
            var theirs = await world.Server.AcceptStreamAsync();
            var buffer = new byte[64 * 1024];
            await world.DelayAsync(500);
            var start = world.Network.Clock.Elapsed;
            long bytes = 0;
            while (world.Network.Clock.Elapsed - start < TimeSpan.FromSeconds(5))
            {
                bytes += await theirs.ReadAsync(buffer);
            }

            var rate = bytes * 8 / (world.Network.Clock.Elapsed - start).TotalSeconds;
            TestContext.WriteLine($"reserved 2.00 Mbit/s of 10 beside bulk of class 0: got {rate / 1e6:F2} Mbit/s ({capabilities})");
            Assert.IsTrue(rate is > 1_800_000 and < 2_600_000, $"{rate} bit/s");
            world.Client.Abort();
            await writing;

            async Task WriteAsync(PostStream stream)
            {
                try
                {
                    while (true)
                    {
                        await stream.WriteAsync(new byte[8000]);
                    }
                }
                catch (PostException exception)
                {
                    Assert.AreEqual(PostErrorReason.Aborted, exception.Reason);
                }
            }
        });

    [TestMethod]
    public void More_than_the_measured_capacity_cannot_be_reserved() => new PostWorld(link: PostWorld.Link(10_000_000, 20)).Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        await world.Client.Send(new byte[3_000_000]).Completion;
        await using var first = await world.Client.OpenStreamAsync(new() { Bandwidth = 3_000_000 });
        Assert.AreEqual(3_000_000, first.Bandwidth);
        var error = await Assert.ThrowsExactlyAsync<PostException>(
            () => world.Client.OpenStreamAsync(new() { Bandwidth = 200_000_000 }).AsTask());
        Assert.AreEqual(PostErrorReason.BandwidthUnavailable, error.Reason);
        StringAssert.Contains(error.Message, "3000000");
    });

    [TestMethod]
    public void Disposing_ends_our_direction_in_order() => new PostWorld(link: PostWorld.Link(1_000_000, 5)).Run(async world =>
    {
        var bytes = PostWorld.Bytes(100_000);
        var ours = await world.Client.OpenStreamAsync();
        await ours.WriteAsync(bytes);
        await ours.DisposeAsync();
        await using var theirs = await world.Server.AcceptStreamAsync();
        CollectionAssert.AreEqual(bytes, await ReadAllAsync(theirs));
    });

    private static async Task<byte[]> ReadAllAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all);
        return all.ToArray();
    }
}
