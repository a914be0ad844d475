using System.Diagnostics;
using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <summary>
/// From which byte on an arriving object comes, and who says so: its sender, or, where it has a durable id and the sender asks, this
/// side's application. A lost connection lets the sender ask again. Pure: it decides, and others act.
/// </summary>
internal struct InboundStart
{
    /// <summary>What is known.</summary>
    public enum Step
    {
        /// <summary>The sender states it; nobody is asked.</summary>
        Given,

        /// <summary>The sender waits, and the application has not said.</summary>
        Asked,

        /// <summary>The application has not said, and the connection that asked is gone.</summary>
        Forgotten,

        /// <summary>The application has said; the sender knows, or its connection is gone.</summary>
        Said,

        /// <summary>The application has said on an earlier connection; the sender waits to hear how far the object has come.</summary>
        AskedAgain,
    }

    private InboundStart(Step state) => State = state;

    public Step State { get; private set; }

    /// <summary>The application has yet to say where it begins.</summary>
    public readonly bool IsOpen => State is Step.Asked or Step.Forgotten;

    /// <summary>The sender waits: no payload may come before the answer.</summary>
    public readonly bool IsAwaited => State is Step.Asked or Step.AskedAgain;

    /// <summary>The first header of the object came.</summary>
    public static InboundStart Of(bool isAsked) => new(isAsked ? Step.Asked : Step.Given);

    /// <summary>The application says where; true when the sender is to be told now.</summary>
    public bool Say()
    {
        Debug.Assert(IsOpen, "It says so once.");
        var isAwaited = IsAwaited;
        State = Step.Said;
        return isAwaited;
    }

    /// <summary>The connection is lost.</summary>
    public void Interrupt() => State = State switch
    {
        Step.Asked => Step.Forgotten,
        Step.AskedAgain => Step.Said,
        _ => State,
    };

    /// <summary>The header came again, on another connection.</summary>
    /// <param name="offset">The offset that it states; -1 where it asks instead.</param>
    /// <param name="position">The bytes that are here.</param>
    public PostErrorCode GoOn(long offset, long position)
    {
        if (offset >= 0)
        {
            // What was not asked for cannot begin behind what is here, nor anywhere before the application has said where.
            return State == Step.Forgotten || offset > position ? PostErrorCode.OffsetError : PostErrorCode.NoError;
        }

        State = State == Step.Forgotten ? Step.Asked : Step.AskedAgain;
        return PostErrorCode.NoError;
    }

    /// <summary>How far the object has come is certain; true when the sender waits to be told.</summary>
    public bool Settle()
    {
        if (State != Step.AskedAgain)
        {
            return false;
        }

        State = Step.Said;
        return true;
    }
}
