namespace Post.Sockets.Objects;

/// <summary>One thing to be done, as the rules of objects have decided.</summary>
/// <param name="Kind">What.</param>
/// <param name="Subject">The object, stream or source that it concerns; null where only its id is known.</param>
/// <param name="Code">The error code, receipt status or reason that goes with it.</param>
/// <param name="Id">The id of the object.</param>
/// <param name="Number">Bytes, or an offset.</param>
/// <param name="AtOnce">It is not held back to be told together with others.</param>
internal readonly record struct ObjectEffect(
    ObjectEffectKind Kind, object? Subject, long Code = 0, long Id = 0, long Number = 0, bool AtOnce = false);
