using System.Buffers;
using Post.Sockets.Associations.Streams;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Accepts what the peer opens and sorts it by its type. What is not the control stream waits until it is known for which association it
/// is. It never lets an exception out: what the peer does wrong closes the connection with a code.
/// </summary>
internal sealed class InboundReader(Carrier carrier)
{
    /// <summary>The first read of a stream: whole small objects, or the header of any.</summary>
    private const int FirstRead = 4096;

    private bool _hasControl;

    /// <summary>Begins to accept streams.</summary>
    public void Start() => _ = AcceptAsync();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                // A slow application slows the peer down here: streams that are not accepted use up its permission to open more.
                if (carrier is { IsReady: true, Core: { Inbox.Deliverable.IsFull: true } core })
                {
                    await core.Inbox.Deliverable.WaitForRoomAsync().ConfigureAwait(false);
                }

                var stream = await carrier.Connection.AcceptStreamAsync(carrier.Over).ConfigureAwait(false);
                _ = ReadAsync(stream);
            }
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection ended; its event tells why.
        }
        catch (Exception exception)
        {
            carrier.Fail(exception);
        }
    }

    private async Task ReadAsync(TransportStream stream)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstRead);
        try
        {
            var filled = 0;
            while (true)
            {
                var result = await stream.ReadAsync(buffer.AsMemory(filled), carrier.Over).ConfigureAwait(false);
                if (result.IsReset)
                {
                    // Gone before we knew what it was; ABANDON names it if it was an object.
                    break;
                }

                filled += result.Count;
                if (!PostInteger.TryRead(buffer.AsSpan(0, filled), out var type, out var consumed))
                {
                    if (result.IsCompleted)
                    {
                        break;
                    }

                    continue;
                }

                if (stream.Kind == TransportStreamKind.Unidirectional && type == StreamType.Control)
                {
                    await ReadControlAsync(stream, buffer, consumed, filled, result.IsCompleted).ConfigureAwait(false);
                    break;
                }

                if (stream.Kind == TransportStreamKind.Unidirectional && type != StreamType.Object)
                {
                    // Not an error: later versions may have types that we do not know.
                    stream.StopReading((long)PostErrorCode.UnknownStreamType);
                    break;
                }

                if (!carrier.IsReady)
                {
                    await carrier.WhenReadyAsync().ConfigureAwait(false);
                }

                if (stream.Kind == TransportStreamKind.Bidirectional)
                {
                    if (stream.IsEarlyData && !carrier.IsHandshakeCompleted)
                    {
                        // A stream cannot say that it is safe to replay.
                        await carrier.WhenHandshakeAsync().ConfigureAwait(false);
                    }

                    if (await StreamAcceptor.BeginAsync(carrier, stream, buffer.AsMemory(0, filled), result.IsCompleted).ConfigureAwait(false))
                    {
                        // It belongs to the application now.
                        return;
                    }

                    break;
                }

                if (stream.IsEarlyData && !carrier.IsHandshakeCompleted && !ObjectReader.IsSafeToReplay(buffer.AsSpan(0, filled)))
                {
                    // An attacker may have replayed it: it waits until the handshake has shown that the peer is there.
                    await carrier.WhenHandshakeAsync().ConfigureAwait(false);
                }

                if (await carrier.Objects.TryReadAsync(stream, buffer.AsMemory(0, filled), result.IsCompleted).ConfigureAwait(false))
                {
                    break;
                }

                if (filled == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    buffer.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }

            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection ended; its event tells why.
            await DisposeQuietlyAsync(stream).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            carrier.Fail(exception);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            carrier.Core?.Wake();
        }
    }

    private async ValueTask ReadControlAsync(TransportStream stream, byte[] buffer, int from, int filled, bool isCompleted)
    {
        if (_hasControl)
        {
            carrier.Violate(PostErrorCode.ControlStreamError, "a second control stream");
            return;
        }

        _hasControl = true;
        await new ControlReader(carrier).ReadAsync(stream, buffer, from, filled, isCompleted).ConfigureAwait(false);
    }

    private static async ValueTask DisposeQuietlyAsync(TransportStream stream)
    {
        try
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // There was nothing left to give back.
        }
    }
}
