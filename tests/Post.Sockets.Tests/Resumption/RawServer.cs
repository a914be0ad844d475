using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Resumption;

/// <summary>A server whose ends say what a test makes them say.</summary>
internal sealed class RawServer(PostWorld world, TransportListener listener)
{
    public PostWorld World { get; } = world;

    public Task DelayAsync(double milliseconds) => World.DelayAsync(milliseconds);

    public async Task<RawEnd> AcceptAsync() => new((await listener.AcceptAsync(CancellationToken.None))!);

    /// <summary>Loses the connection, and takes the one with which the client comes back; its HELLO is there.</summary>
    public async Task<RawEnd> LoseAndAcceptAsync(RawEnd end)
    {
        end.Lose(this);
        var next = await AcceptAsync();
        while (next.Hello is null)
        {
            await DelayAsync(1);
        }

        return next;
    }
}
