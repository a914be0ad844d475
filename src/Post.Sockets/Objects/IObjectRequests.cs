using System.IO.Pipelines;

namespace Post.Sockets.Objects;

/// <summary>
/// What an application asks of an object by its handle, from any thread: the owner of the association carries it out. And what an object
/// shows of its surroundings.
/// </summary>
internal interface IObjectRequests
{
    /// <summary>Whether continuations of what an application awaits run apart from whoever completes it.</summary>
    TaskCreationOptions Continuations { get; }

    /// <summary>Where the continuations of pipes run.</summary>
    PipeScheduler PipeScheduler { get; }

    /// <summary>Who the peer proved to be.</summary>
    PeerIdentity Peer { get; }

    /// <summary>The paths there are.</summary>
    IReadOnlyList<PostPath> Paths { get; }

    /// <summary>A sent object was canceled; see <see cref="OutboundObject.TryRequestCancel"/>.</summary>
    void Cancel(OutboundObject item);

    void Reprioritize(OutboundObject item, int niceness);

    /// <summary>The application has dealt with an object.</summary>
    void MarkProcessed(InboundObject item);

    /// <summary>The application does not want an object.</summary>
    void Reject(InboundObject item);

    /// <summary>The application is through with an object, and something is left to be done for it.</summary>
    void Release(InboundObject item);

    /// <summary>The application says where an object begins.</summary>
    void Start(InboundObject item, long offset);
}
