using System.Threading.Channels;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>Keeps what a connection pushes until a test asks for it.</summary>
internal sealed class RecordedEvents : TransportEvents
{
    private readonly Channel<TransportStream> _acknowledged = Channel.CreateUnbounded<TransportStream>();
    private readonly Channel<TransportStream> _accepted = Channel.CreateUnbounded<TransportStream>();
    private readonly Channel<byte[]> _whole = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<string> _fates = Channel.CreateUnbounded<string>();
    private readonly Channel<long> _stopped = Channel.CreateUnbounded<long>();
    private readonly Channel<byte[]> _datagrams = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<(long Token, TransportDatagramState State)> _datagramStates =
        Channel.CreateUnbounded<(long, TransportDatagramState)>();

    private readonly Channel<int> _maxDatagramSizes = Channel.CreateUnbounded<int>();
    private readonly Channel<(PostPath Path, PostPathChange Change)> _paths = Channel.CreateUnbounded<(PostPath, PostPathChange)>();
    private readonly TaskCompletionSource<TransportException> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>True: it throws, as it must not, when a stream was acknowledged.</summary>
    public bool FailsOnAcknowledgement { get; set; }

    /// <summary>False: whole streams are not taken, and come as streams.</summary>
    public bool TakesWholeStreams { get; set; }

    public ValueTask<byte[]> NextWholeAsync(CancellationToken cancellationToken) => _whole.Reader.ReadAsync(cancellationToken);

    /// <summary>What became next of whole streams that this side sent.</summary>
    public ValueTask<string> NextFateAsync(CancellationToken cancellationToken) => _fates.Reader.ReadAsync(cancellationToken);

    public ValueTask<TransportStream> NextAcknowledgedAsync(CancellationToken cancellationToken) => _acknowledged.Reader.ReadAsync(cancellationToken);

    /// <summary>The next stream of a transport that pushes them; the reason of the connection's end after the last.</summary>
    public async ValueTask<TransportStream> NextStreamAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _accepted.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException ended) when (ended.InnerException is TransportException reason)
        {
            throw reason;
        }
    }

    public ValueTask<long> NextStoppedAsync(CancellationToken cancellationToken) => _stopped.Reader.ReadAsync(cancellationToken);

    public ValueTask<byte[]> NextDatagramAsync(CancellationToken cancellationToken) => _datagrams.Reader.ReadAsync(cancellationToken);

    public ValueTask<(long Token, TransportDatagramState State)> NextDatagramStateAsync(CancellationToken cancellationToken) =>
        _datagramStates.Reader.ReadAsync(cancellationToken);

    public ValueTask<int> NextMaxDatagramSizeAsync(CancellationToken cancellationToken) =>
        _maxDatagramSizes.Reader.ReadAsync(cancellationToken);

    public ValueTask<(PostPath Path, PostPathChange Change)> NextPathChangeAsync(CancellationToken cancellationToken) =>
        _paths.Reader.ReadAsync(cancellationToken);

    public Task<TransportException> ClosedAsync(CancellationToken cancellationToken) => _closed.Task.WaitAsync(cancellationToken);

    public override void OnStreamAcknowledged(TransportStream stream)
    {
        if (FailsOnAcknowledgement)
        {
            throw new InvalidOperationException("a defect, made by a test");
        }

        _acknowledged.Writer.TryWrite(stream);
    }

    public override bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt) =>
        TakesWholeStreams && _whole.Writer.TryWrite(bytes.ToArray());

    public override void OnStreamSent(long token) => _fates.Writer.TryWrite($"sent {token}");

    public override void OnSentStreamAcknowledged(long token) => _fates.Writer.TryWrite($"acknowledged {token}");

    public override void OnSentStreamStopped(long token, long errorCode) => _fates.Writer.TryWrite($"stopped {token} with {errorCode}");

    public override void OnStreamAccepted(TransportStream stream) => _accepted.Writer.TryWrite(stream);

    public override void OnStreamStopped(TransportStream stream, long errorCode) => _stopped.Writer.TryWrite(errorCode);

    public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt) => _datagrams.Writer.TryWrite(payload.ToArray());

    public override void OnDatagramState(long token, TransportDatagramState state) => _datagramStates.Writer.TryWrite((token, state));

    public override void OnMaxDatagramSizeChanged(int maxDatagramSize) => _maxDatagramSizes.Writer.TryWrite(maxDatagramSize);

    public override void OnPathChanged(PostPath path, PostPathChange change) => _paths.Writer.TryWrite((path, change));

    public override void OnClosed(TransportException reason)
    {
        _accepted.Writer.TryComplete(reason);
        Assert.IsTrue(_closed.TrySetResult(reason), "OnClosed was pushed twice.");
    }
}
