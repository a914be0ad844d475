using System.Diagnostics;
using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <summary>From which byte on an object is sent over one connection, and who has said so. Pure: it decides, and others act.</summary>
internal struct OutboundStart
{
    /// <summary>What is known.</summary>
    public enum Step
    {
        /// <summary>Nothing was said: it begins at its beginning, unless the receiver is asked.</summary>
        Unsaid,

        /// <summary>The header with the durable id is out, and the receiver has not answered.</summary>
        Asked,

        /// <summary>The receiver has said where, in HELLO or by START_AT.</summary>
        Told,
    }

    public Step State { get; private set; }

    /// <summary>Bytes of payload that the receiver does not want.</summary>
    public long Offset { get; private set; }

    /// <summary>The header goes out that asks.</summary>
    public void Ask()
    {
        Debug.Assert(State == Step.Unsaid, "An object is asked for once a connection.");
        State = Step.Asked;
    }

    /// <summary>START_AT came.</summary>
    /// <param name="offset">What it says.</param>
    /// <param name="length">The bytes of the object; null while unknown.</param>
    public PostErrorCode Answer(long offset, long? length)
    {
        if (State != Step.Asked || offset > length)
        {
            return PostErrorCode.OffsetError;
        }

        State = Step.Told;
        Offset = offset;
        return PostErrorCode.NoError;
    }

    /// <summary>The receiver resumes the association, and holds part of the object.</summary>
    public void GoOn(long position)
    {
        Debug.Assert(State == Step.Unsaid, "HELLO comes before all objects.");
        State = Step.Told;
        Offset = position;
    }

    /// <summary>The connection is lost.</summary>
    public void Forget() => this = default;
}
