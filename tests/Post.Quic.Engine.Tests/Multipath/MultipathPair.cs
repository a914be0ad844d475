using Post.Quic.Engine.Tests.Endpoint;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>Two ends on addresses of the loopback interface, with up to four paths between them.</summary>
internal static class MultipathPair
{
    public static Task<LoopbackPair> ConnectAsync(
        CancellationToken cancellationToken,
        Func<QuicClientConnectionOptions, QuicClientConnectionOptions>? client = null,
        Func<QuicServerConnectionOptions, QuicServerConnectionOptions>? server = null,
        QuicConnectionEvents? atClient = null,
        QuicConnectionEvents? atServer = null)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Only on Linux is all of 127.0.0.0/8 of this machine.");
        }

        return LoopbackPair.ConnectAsync(
            cancellationToken,
            options => (client ?? Same)(options with { MaxPaths = 4, Events = atClient, IdleTimeout = Timeout.InfiniteTimeSpan }),
            options => (server ?? Same)(options with { MaxPaths = 4, Events = atServer, IdleTimeout = Timeout.InfiniteTimeSpan }));

        static T Same<T>(T options) => options;
    }

    public static async Task FailsAsync(QuicError error, Func<Task> action) =>
        Assert.AreEqual(error, (await Assert.ThrowsExactlyAsync<QuicException>(action)).QuicError);
}
