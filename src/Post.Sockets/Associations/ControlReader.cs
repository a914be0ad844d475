using Post.Sockets.Protocol;

namespace Post.Sockets.Associations;

/// <summary>Acts on the peer's control frames.</summary>
internal sealed class ControlReader(AssociationCore core)
{
    private readonly ControlFrameReader _frames = new();
    private long _firstUnserved = long.MaxValue;

    /// <summary>After GOAWAY the peer may end its control stream, which tells it when all of it has arrived here.</summary>
    public bool MayEnd => _firstUnserved != long.MaxValue && _frames.IsBetweenFrames;

    /// <summary>Takes bytes; false when the peer broke a rule and the association is being closed.</summary>
    public bool Read(ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            var status = _frames.TryRead(ref bytes, out var frame, out var error);
            if (status == ParseStatus.NeedMore)
            {
                core.Wake();
                return true;
            }

            if (status == ParseStatus.Invalid)
            {
                core.Violate(error, "the control stream is malformed");
                return false;
            }

            error = Apply(frame);
            if (error != PostErrorCode.NoError)
            {
                core.Violate(error, $"control frame {frame.Type} is malformed or names impossible ids");
                return false;
            }
        }
    }

    private PostErrorCode Apply(in ControlFrame frame)
    {
        switch (frame.Type)
        {
            case FrameType.Hello:
                if (!HelloFrame.TryParse(frame.Payload, out var hello))
                {
                    return PostErrorCode.FrameEncoding;
                }

                core.Lifecycle.OnHello(hello);
                return PostErrorCode.NoError;
            case FrameType.Receipt:
                if (!IdListFrame.TryParseReceipt(frame.Payload, out var receiptStatus, out var received))
                {
                    return PostErrorCode.FrameEncoding;
                }

                lock (core.Gate)
                {
                    foreach (var range in received)
                    {
                        var error = core.Outbox.OnReceipt(receiptStatus, range.First, range.Last);
                        if (error != PostErrorCode.NoError)
                        {
                            return error;
                        }
                    }
                }

                return PostErrorCode.NoError;
            case FrameType.Abandon:
                if (!IdListFrame.TryParseAbandon(frame.Payload, out _, out var abandoned))
                {
                    return PostErrorCode.FrameEncoding;
                }

                lock (core.Gate)
                {
                    foreach (var range in abandoned)
                    {
                        var error = core.Inbox.OnAbandon(range.First, range.Last);
                        if (error != PostErrorCode.NoError)
                        {
                            return error;
                        }
                    }
                }

                return PostErrorCode.NoError;
            default:
                if (!GoAwayFrame.TryParse(frame.Payload, out var goAway))
                {
                    return PostErrorCode.FrameEncoding;
                }

                if (goAway.FirstUnserved > _firstUnserved)
                {
                    // What was given up cannot be served again.
                    return PostErrorCode.IdError;
                }

                _firstUnserved = goAway.FirstUnserved;
                core.Lifecycle.OnGoAway(goAway);
                return PostErrorCode.NoError;
        }
    }
}
