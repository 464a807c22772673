import express from "express";

const app = express();

app.use((req, res, next) => {
  res.locals.user = req.header("x-user");
  next();
});
