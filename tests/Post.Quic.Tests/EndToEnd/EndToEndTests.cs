using System.Security.Cryptography;
using Post.Sockets;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>What the scenarios share.</summary>
public abstract class EndToEndTests
{
    /// <summary>For every scenario: the machine may be loaded, but nothing waits for ever.</summary>
    internal const int TimeoutMilliseconds = 60_000;

    public TestContext TestContext { get; set; } = null!;

    private protected CancellationToken Cancel => TestContext.CancellationToken;

    private protected static byte[] Bytes(int count) => RandomNumberGenerator.GetBytes(count);

    private protected Task<PostPair> ConnectAsync(TestEngine client, TestEngine server, PairSetup? setup = null) =>
        PostPair.ConnectAsync(client, server, Cancel, setup);

    private protected async Task<byte[]> TakeAsync(Association association)
    {
        using ReceivedObject item = await association.ReceiveAsync(Cancel);
        return item.ToArray();
    }

    /// <summary>Looks until something is so; the test's timeout ends it.</summary>
    private protected async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(5, Cancel);
        }
    }

    /// <summary>Looks until a number has stopped to change: for what must come to a halt.</summary>
    private protected async Task UntilQuietAsync(Func<long> number)
    {
        for (long before = -1; number() != before;)
        {
            before = number();
            await Task.Delay(500, Cancel);
        }
    }
}
