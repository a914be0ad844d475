using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>Reads the peer's control stream and acts on its frames.</summary>
internal sealed class ControlReader(Carrier carrier)
{
    private readonly ControlFrameReader _frames = new();

    /// <summary>Reads to the end of the stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="buffer">Holds its first bytes, and is used for the others.</param>
    /// <param name="from">Where the frames begin in it.</param>
    /// <param name="filled">Where they end.</param>
    /// <param name="isCompleted">The stream has ended with them.</param>
    public async ValueTask ReadAsync(TransportStream stream, byte[] buffer, int from, int filled, bool isCompleted)
    {
        while (true)
        {
            // Noted before anything waits: CLOCK is worth what it says of its arrival.
            var arrivedAt = stream.ArrivedAt ?? carrier.Now;
            while (from < filled)
            {
                if (!TryApplyNext(buffer.AsSpan(0, filled), arrivedAt, ref from))
                {
                    return;
                }

                if (carrier is { PeerHello: not null, IsReady: false })
                {
                    // What follows HELLO concerns an association that is still to be found.
                    await carrier.WhenReadyAsync().ConfigureAwait(false);
                }
            }

            if (isCompleted)
            {
                if (carrier.Core is not { Lifecycle.IsPeerGoing: true } || !_frames.IsBetweenFrames)
                {
                    carrier.Violate(PostErrorCode.ControlStreamError, "the control stream ended");
                }

                return;
            }

            carrier.Core?.Wake();
            var result = await stream.ReadAsync(buffer, carrier.Over).ConfigureAwait(false);
            if (result.IsReset)
            {
                carrier.Violate(PostErrorCode.ControlStreamError, "the control stream was reset");
                return;
            }

            from = 0;
            filled = result.Count;
            isCompleted = result.IsCompleted;
        }
    }

    /// <summary>Applies one frame, or keeps the beginning of one; false when the peer broke a rule.</summary>
    private bool TryApplyNext(ReadOnlySpan<byte> buffer, long arrivedAt, ref int from)
    {
        var bytes = buffer[from..];
        var status = _frames.TryRead(ref bytes, out var frame, out var error);
        from = buffer.Length - bytes.Length;
        switch (status)
        {
            case ParseStatus.NeedMore:
                return true;
            case ParseStatus.Invalid:
                carrier.Violate(error, "the control stream is malformed");
                return false;
        }

        error = Apply(frame, arrivedAt);
        if (error != PostErrorCode.NoError)
        {
            carrier.Violate(error, $"control frame {frame.Type} is malformed or names impossible ids");
            return false;
        }

        return true;
    }

    private PostErrorCode Apply(in ControlFrame frame, long arrivedAt)
    {
        if (frame.Type == ControlFrameType.Hello)
        {
            if (!HelloFrame.TryParse(frame.Payload, out var hello))
            {
                return PostErrorCode.FrameEncoding;
            }

            carrier.OnHello(hello);
            return PostErrorCode.NoError;
        }

        var core = carrier.Core!;
        lock (core.Gate)
        {
            // A connection that was lost, or gave way to a newer one, has no more say.
            return core.Carrier == carrier ? Apply(core, frame, arrivedAt) : PostErrorCode.NoError;
        }
    }

    private static PostErrorCode Apply(AssociationCore core, in ControlFrame frame, long arrivedAt)
    {
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
                    error = core.Reports.OnReceipt(status, range.First, range.Last);
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
                    error = core.Inbox.OnAbandon(range.First, range.Last);
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

                core.Inbox.PeerClock.OnSample(clock.Shown, core.Clock.Microseconds(arrivedAt));
                return PostErrorCode.NoError;
            case ControlFrameType.StartAt:
                return StartAtFrame.TryParse(frame.Payload, out var start)
                    ? core.Reports.OnStartAt(start.Id, start.Offset)
                    : PostErrorCode.FrameEncoding;
            default:
                return GoAwayFrame.TryParse(frame.Payload, out var goAway)
                    ? core.Lifecycle.OnGoAway(goAway)
                    : PostErrorCode.FrameEncoding;
        }
    }
}
