using System.Net.Quic;
using System.Runtime.Versioning;

namespace Post.Quic.SystemNetQuic;

/// <summary>
/// Opens streams of one kind. An open that is canceled goes on, and the next one takes it over: System.Net.Quic would give up a stream
/// whose number is taken already and which the peer never hears of, so that one of the peer's permissions would be lost each time.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class StreamOpenings(QuicConnection connection, QuicStreamType type)
{
    private readonly Lock _gate = new();
    private readonly Queue<Task<QuicStream>> _left = [];
    private bool _isOver;

    public async ValueTask<QuicStream> OpenAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Task<QuicStream>? opening;
        lock (_gate)
        {
            _left.TryDequeue(out opening);
        }

        opening ??= connection.OpenOutboundStreamAsync(type, CancellationToken.None).AsTask();
        try
        {
            return await opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Leave(opening);
            throw;
        }
    }

    /// <summary>The connection is over: what was left is given back.</summary>
    public void End()
    {
        Task<QuicStream>[] left;
        lock (_gate)
        {
            _isOver = true;
            left = [.. _left];
            _left.Clear();
        }

        foreach (Task<QuicStream> opening in left)
        {
            _ = ReleaseAsync(opening);
        }
    }

    private static async Task ReleaseAsync(Task<QuicStream> opening)
    {
        try
        {
            QuicStream stream = await opening.ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (QuicErrors.IsFailure(exception))
        {
            // As expected: the connection is over.
        }
    }

    private void Leave(Task<QuicStream> opening)
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _left.Enqueue(opening);
                return;
            }
        }

        _ = ReleaseAsync(opening);
    }
}
