using System.Diagnostics;
using System.Threading.Channels;

namespace Post.Quic.Tests.Links;

/// <summary>One direction of a relay: loses, queues and paces datagrams as its shape says.</summary>
internal sealed class ShapedLink(LinkShape shape, int seed)
{
    /// <summary>What a coarse timer overslept is made up for, as far as this: the rate over a second is then the stated one.</summary>
    private static readonly long CatchUp = Stopwatch.Frequency / 20;

    private readonly Channel<byte[]> _queue = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Random _coin = new(seed);
    private long _freeAt = Stopwatch.GetTimestamp();
    private long _queuedBytes;
    private long _forwardedBytes;
    private long _dropped;

    /// <summary>Bytes that came out at the other end, without headers.</summary>
    public long ForwardedBytes => Volatile.Read(ref _forwardedBytes);

    /// <summary>Datagrams that did not.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Is shown every datagram that comes, dropped or not.</summary>
    public Action<byte[]>? Sniffer { get; set; }

    /// <summary>Takes a datagram, or drops it. One caller at a time.</summary>
    public void Offer(byte[] datagram)
    {
        Sniffer?.Invoke(datagram);
        if ((shape.Loss > 0 && _coin.NextDouble() < shape.Loss)
            || (shape.BitsPerSecond is not null && Volatile.Read(ref _queuedBytes) + datagram.Length > shape.QueueBytes))
        {
            Interlocked.Increment(ref _dropped);
            return;
        }

        Interlocked.Add(ref _queuedBytes, datagram.Length);
        _queue.Writer.TryWrite(datagram);
    }

    /// <summary>Gives the datagrams out in their order, each when the link has had the time for it.</summary>
    public async Task RunAsync(Func<ReadOnlyMemory<byte>, ValueTask> give, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (byte[] datagram in _queue.Reader.ReadAllAsync(cancellationToken))
            {
                await WaitForTurnAsync(datagram.Length, cancellationToken);
                await give(datagram);
                Interlocked.Add(ref _queuedBytes, -datagram.Length);
                Interlocked.Add(ref _forwardedBytes, datagram.Length);
            }
        }
        catch (OperationCanceledException)
        {
            // The relay is over.
        }
    }

    private async ValueTask WaitForTurnAsync(int length, CancellationToken cancellationToken)
    {
        if (shape.BitsPerSecond is not { } rate)
        {
            return;
        }

        long now = Stopwatch.GetTimestamp();
        _freeAt = Math.Max(_freeAt, now - CatchUp) + ((length + LinkShape.DatagramOverhead) * 8 * Stopwatch.Frequency / rate);
        TimeSpan wait = Stopwatch.GetElapsedTime(now, _freeAt);
        if (wait >= TimeSpan.FromMilliseconds(1))
        {
            await Task.Delay(wait, cancellationToken);
        }
    }
}
