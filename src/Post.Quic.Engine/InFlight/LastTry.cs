namespace Post.Quic.Engine.InFlight;

/// <summary>
/// Something is repeated, and the time that is left allows no further repetition: were it lost again, that would be known too late. So it goes
/// twice at once.
/// </summary>
/// <param name="Class">Its class of urgency; 0 is the most urgent.</param>
/// <param name="Deadline">When it is worthless, in microseconds of the connection's clock.</param>
internal readonly record struct LastTry(int Class, long Deadline);
