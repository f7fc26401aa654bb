def filter(event)
  event.set("x", 1)
end
