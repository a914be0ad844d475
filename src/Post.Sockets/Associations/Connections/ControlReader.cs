using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>Reads the peer's control stream and acts on its frames: on HELLO by itself, on all others as the owner of the association.</summary>
internal sealed class ControlReader(PostConnection connection)
{
    private readonly ControlFrameReader _frames = new();
    private byte[] _buffer = [];
    private int _from;
    private int _filled;
    private long _arrivedAt;
    private bool _isBroken;

    /// <summary>Reads to the end of the stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="buffer">Holds its first bytes, and is used for the others.</param>
    /// <param name="from">Where the frames begin in it.</param>
    /// <param name="filled">Where they end.</param>
    /// <param name="isCompleted">The stream has ended with them.</param>
    public async ValueTask ReadAsync(TransportStream stream, byte[] buffer, int from, int filled, bool isCompleted)
    {
        _buffer = buffer;
        _from = from;
        _filled = filled;
        while (true)
        {
            // Noted before anything waits: CLOCK is worth what it says of its arrival.
            _arrivedAt = stream.ArrivedAt ?? connection.Now;
            if (connection.PeerHello is null)
            {
                TakeHello();
            }

            if (connection.PeerHello is not null && _from < _filled && !_isBroken)
            {
                if (!connection.IsReady)
                {
                    // What follows HELLO concerns an association that is still to be found.
                    await connection.WhenReadyAsync().ConfigureAwait(false);
                }

                await connection.State.Owner.InvokeAsync(static reader => ((ControlReader)reader).ApplyAll(), this).ConfigureAwait(false);
            }

            if (_isBroken)
            {
                return;
            }

            if (isCompleted)
            {
                if (connection.User is not { IsPeerGoing: true } || !_frames.IsBetweenFrames)
                {
                    connection.Violate(PostErrorCode.ControlStreamError, "the control stream ended");
                }

                return;
            }

            var result = await stream.ReadAsync(buffer, connection.Over).ConfigureAwait(false);
            if (result.IsReset)
            {
                connection.Violate(PostErrorCode.ControlStreamError, "the control stream was reset");
                return;
            }

            _from = 0;
            _filled = result.Count;
            isCompleted = result.IsCompleted;
        }
    }

    /// <summary>Takes HELLO, which is the first frame; nothing else happens before it has come.</summary>
    private void TakeHello()
    {
        if (!TryReadNext(out var frame))
        {
            return;
        }

        if (HelloFrame.TryParse(frame.Payload, out var hello))
        {
            connection.OnHello(hello);
        }
        else
        {
            Break(PostErrorCode.FrameEncoding, "HELLO is malformed");
        }
    }

    /// <summary>Applies the frames at hand. By the owner.</summary>
    private void ApplyAll()
    {
        while (_from < _filled && TryReadNext(out var frame))
        {
            // A connection that was lost, or gave way to a newer one, has no more say.
            if (connection.IsCurrent && Apply(connection, frame, _arrivedAt) is var error and not PostErrorCode.NoError)
            {
                Break(error, $"control frame {frame.Type} is malformed or names impossible ids");
                return;
            }
        }
    }

    /// <summary>Reads one frame, or keeps the beginning of one; false when there is none, or the peer broke a rule.</summary>
    private bool TryReadNext(out ControlFrame frame)
    {
        var bytes = (ReadOnlySpan<byte>)_buffer.AsSpan(_from, _filled - _from);
        var status = _frames.TryRead(ref bytes, out frame, out var error);
        _from = _filled - bytes.Length;
        if (status == ParseStatus.Invalid)
        {
            Break(error, "the control stream is malformed");
        }

        return status == ParseStatus.Done;
    }

    private void Break(PostErrorCode code, string what)
    {
        _isBroken = true;
        connection.Violate(code, what);
    }

    private static PostErrorCode Apply(PostConnection connection, in ControlFrame frame, long arrivedAt)
    {
        var state = connection.State;
        var error = PostErrorCode.NoError;
        switch (frame.Type)
        {
            case ControlFrameType.Receipt:
                if (!IdListFrame.TryParseReceipt(frame.Payload, out var status, out var received))
                {
                    return PostErrorCode.FrameEncoding;
                }

                foreach (var range in received)
                {
                    error = state.Outbox.Reports.OnReceipt(status, range.First, range.Last);
                    if (error != PostErrorCode.NoError)
                    {
                        break;
                    }
                }

                return error;
            case ControlFrameType.Abandon:
                if (!IdListFrame.TryParseAbandon(frame.Payload, out _, out var abandoned))
                {
                    return PostErrorCode.FrameEncoding;
                }

                foreach (var range in abandoned)
                {
                    error = state.Inbox.OnAbandon(range.First, range.Last);
                    if (error != PostErrorCode.NoError)
                    {
                        break;
                    }
                }

                return error;
            case ControlFrameType.Clock:
                if (!ClockFrame.TryParse(frame.Payload, out var clock))
                {
                    return PostErrorCode.FrameEncoding;
                }

                state.Inbox.PeerClock.OnSample(clock.Shown, state.Clock.Microseconds(arrivedAt));
                return PostErrorCode.NoError;
            case ControlFrameType.StartAt:
                return StartAtFrame.TryParse(frame.Payload, out var start)
                    ? state.Outbox.Reports.OnStartAt(start.Id, start.Offset)
                    : PostErrorCode.FrameEncoding;
            default:
                return GoAwayFrame.TryParse(frame.Payload, out var goAway)
                    ? connection.User!.OnGoAway(goAway)
                    : PostErrorCode.FrameEncoding;
        }
    }
}
