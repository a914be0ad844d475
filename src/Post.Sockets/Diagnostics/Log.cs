using System.Net;
using Microsoft.Extensions.Logging;
using Post.Sockets.Protocol;

namespace Post.Sockets.Diagnostics;

/// <summary>All log messages, with their numbers; docs/semantics.md lists what they mean to an operator.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Trace, "Object {Id} ended {End} ({Reason}) after {Elapsed}")]
    public static partial void ObjectEnded(this ILogger logger, long id, ObjectOutcome end, ObjectOutcomeReason reason, TimeSpan elapsed);

    [LoggerMessage(2, LogLevel.Warning, "The peer broke the rules of post/1 ({Code}): {What}")]
    public static partial void PeerViolation(this ILogger logger, PostErrorCode code, string what);

    [LoggerMessage(3, LogLevel.Debug, "Path {Id} {Change}: {LocalEndPoint} to {RemoteEndPoint}, {State}, MTU {Mtu}")]
    public static partial void PathChanged(
        this ILogger logger,
        PostPathChange change,
        long id,
        EndPoint? localEndPoint,
        EndPoint? remoteEndPoint,
        PostPathState state,
        int? mtu);

    [LoggerMessage(4, LogLevel.Error, "A handler of {Event} failed")]
    public static partial void HandlerFailed(this ILogger logger, string @event, Exception exception);

    [LoggerMessage(5, LogLevel.Error, "An association failed by a defect of the library or its transport")]
    public static partial void PumpFailed(this ILogger logger, Exception exception);

    [LoggerMessage(6, LogLevel.Warning, "The source of object {Id} failed while it was released")]
    public static partial void SourceReleaseFailed(this ILogger logger, long id, Exception exception);

    [LoggerMessage(7, LogLevel.Debug, "The transport did not close in order")]
    public static partial void CloseFailed(this ILogger logger, Exception exception);

    [LoggerMessage(8, LogLevel.Information, "Association closed ({Code})")]
    public static partial void AssociationClosed(this ILogger logger, PostErrorCode code, Exception? exception);

    [LoggerMessage(9, LogLevel.Warning, "Object {Id} was rejected: an antecedent of it never came")]
    public static partial void AntecedentNeverCame(this ILogger logger, long id);

    [LoggerMessage(10, LogLevel.Warning, "A remote was refused: there are {Limit} associations already")]
    public static partial void TooManyAssociations(this ILogger logger, int limit);

    [LoggerMessage(11, LogLevel.Error, "The listener failed")]
    public static partial void ListenerFailed(this ILogger logger, Exception exception);

    [LoggerMessage(12, LogLevel.Information, "A remote was gone before it was accepted")]
    public static partial void AcceptFailed(this ILogger logger, Exception exception);

    [LoggerMessage(14, LogLevel.Warning, "The connection was lost ({Reason}): {Message} The association waits for another one")]
    public static partial void Interrupted(this ILogger logger, Transport.TransportErrorReason reason, string message);

    [LoggerMessage(15, LogLevel.Information, "The association goes on after {Gap} over another connection with {RemoteEndPoint}")]
    public static partial void Resumed(this ILogger logger, TimeSpan gap, EndPoint? remoteEndPoint);

    [LoggerMessage(16, LogLevel.Information, "The association could not go on yet ({Reason}): {Message}")]
    public static partial void NotResumed(this ILogger logger, Transport.TransportErrorReason reason, string message);

    [LoggerMessage(17, LogLevel.Warning, "A connection from {RemoteEndPoint} may not resume the association that it named ({Code})")]
    public static partial void ResumptionRefused(this ILogger logger, PostErrorCode code, EndPoint? remoteEndPoint);

    [LoggerMessage(18, LogLevel.Warning, "The session cache of the Local failed; what the remote said last time is not known")]
    public static partial void SessionCacheFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        19,
        LogLevel.Warning,
        "Objects wait, and all of the {Concurrency} handlers of Received that may run have been running for more than {Time}. If they wait for another "
        + "object, it cannot come before they return: go on in a task of your own (ReceivedObject.Keep), take objects with ReceiveAsync instead of "
        + "handlers, or raise HandlerConcurrency")]
    public static partial void HandlersStuck(this ILogger logger, int concurrency, TimeSpan time);

    [LoggerMessage(
        20,
        LogLevel.Warning,
        "Events wait, and a handler has been running for more than {Time}. If it waits for another event, that cannot come before it returns: go on "
        + "in a task of your own")]
    public static partial void EventHandlerStuck(this ILogger logger, TimeSpan time);

    [LoggerMessage(
        21,
        LogLevel.Warning,
        "A handler of Accept has been running for more than {Time}. Nothing of its association goes on before it returns: if it waits for an object, a "
        + "stream or an answer, go on in a task of your own, or in the association's own handlers")]
    public static partial void AcceptHandlerStuck(this ILogger logger, TimeSpan time);

    [LoggerMessage(23, LogLevel.Debug, "Paths: {Kind} path {PathId} on {Interface} from {Local} to {Remote}")]
    public static partial void PathDecision(
        this ILogger logger, Paths.PathActionKind kind, long pathId, string? @interface, System.Net.EndPoint? local, System.Net.EndPoint? remote);

    [LoggerMessage(24, LogLevel.Debug, "Paths: {Kind} path {PathId} from {Local} to {Remote} failed: {Reason}")]
    public static partial void PathFailed(
        this ILogger logger, Paths.PathActionKind kind, long pathId, System.Net.EndPoint? local, System.Net.EndPoint? remote, string reason);

    [LoggerMessage(22, LogLevel.Warning, "The source of an object failed when it was told that its bytes are no longer wanted")]
    public static partial void SourceInterruptFailed(this ILogger logger, Exception exception);

    [LoggerMessage(13, LogLevel.Information, "Associated with {Remote} over {Transport} as {Side}")]
    public static partial void Associated(this ILogger logger, string remote, string transport, string side);
}
