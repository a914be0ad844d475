using System.Buffers;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Accepts what the peer opens and sorts it by its type. What is not the control stream waits until it is known for which association it
/// is. It never lets an exception out: what the peer does wrong closes the connection with a code.
/// </summary>
internal sealed class InboundReader(PostConnection connection)
{
    /// <summary>The first read of a stream: whole small objects, or the header of any.</summary>
    private const int FirstRead = 4096;

    /// <summary>The later reads of the control stream: the receipts of some round trips.</summary>
    private const int ControlRead = 512;

    private bool _hasControl;

    private bool IsFull => connection is { IsReady: true, User.State.Inbox.Deliverable.IsFull: true };

    /// <summary>Begins to accept streams, where the transport does not push them.</summary>
    public void Start() => _ = AcceptAsync();

    /// <summary>The peer has opened a stream.</summary>
    public void OnAccepted(TransportStream stream)
    {
        // What flows with whoever runs the association is not the stream's.
        using (ExecutionContext.SuppressFlow())
        {
            _ = ReadAsync(stream);
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                // A slow application slows the peer down here: streams that are not accepted use up its permission to open more.
                if (IsFull)
                {
                    await connection.User!.Delivery.WhenRoomAsync().ConfigureAwait(false);
                }

                var stream = await connection.Transport.AcceptStreamAsync(connection.Over).ConfigureAwait(false);
                _ = ReadAsync(stream);
            }
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection ended, and its event tells why; or it pushes its streams.
        }
        catch (Exception exception)
        {
            connection.Fail(exception);
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
                var result = await stream.ReadAsync(buffer.AsMemory(filled), connection.Over).ConfigureAwait(false);
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
                    // Read for as long as the connection lives, and little at a time.
                    var control = new byte[Math.Max(ControlRead, filled)];
                    buffer.AsSpan(0, filled).CopyTo(control);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = [];
                    await ReadControlAsync(stream, control, consumed, filled, result.IsCompleted).ConfigureAwait(false);
                    break;
                }

                if (stream.Kind == TransportStreamKind.Unidirectional && type != StreamType.Object)
                {
                    // Not an error: later versions may have types that we do not know.
                    stream.StopReading((long)PostErrorCode.UnknownStreamType);
                    break;
                }

                if (!connection.IsReady)
                {
                    await connection.WhenReadyAsync().ConfigureAwait(false);
                }

                if (stream.Kind == TransportStreamKind.Bidirectional)
                {
                    if (stream.IsEarlyData && !connection.IsHandshakeCompleted)
                    {
                        // A stream cannot say that it is safe to replay.
                        await connection.WhenHandshakeAsync().ConfigureAwait(false);
                    }

                    if (await connection.User!.AcceptStreamAsync(connection, stream, buffer.AsMemory(0, filled), result.IsCompleted).ConfigureAwait(false))
                    {
                        // It belongs to the application now.
                        return;
                    }

                    break;
                }

                if (stream.IsEarlyData && !connection.IsHandshakeCompleted && !InboundObjects.IsSafeToReplay(buffer.AsSpan(0, filled)))
                {
                    // An attacker may have replayed it: it waits until the handshake has shown that the peer is there.
                    await connection.WhenHandshakeAsync().ConfigureAwait(false);
                }

                if (IsFull)
                {
                    // Likewise, where streams are pushed: what is not read uses up the permission as well.
                    await connection.User!.Delivery.WhenRoomAsync().ConfigureAwait(false);
                }

                if (await new ObjectReading(connection, stream).TryReadAsync(buffer.AsMemory(0, filled), result.IsCompleted).ConfigureAwait(false))
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
            connection.Fail(exception);
        }
        finally
        {
            if (buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            connection.User?.State.Owner.Wake();
        }
    }

    private async ValueTask ReadControlAsync(TransportStream stream, byte[] buffer, int from, int filled, bool isCompleted)
    {
        if (_hasControl)
        {
            connection.Violate(PostErrorCode.ControlStreamError, "a second control stream");
            return;
        }

        _hasControl = true;
        await new ControlReader(connection).ReadAsync(stream, buffer, from, filled, isCompleted).ConfigureAwait(false);
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
